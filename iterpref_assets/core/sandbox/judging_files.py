"""Verdicts on test files, which run beside the candidate and so are `in_process`."""

from __future__ import annotations

from iterpref_assets.core.debugging import feedback
from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.runs import Runner, TestOutcome, scrub
from iterpref_assets.core.sandbox.test_files import PlannedTests, plan_tests
from iterpref_assets.core.sandbox.verdicts import Execution, Limits, Verdict


def judge_test_file(runner: Runner, code: str, tests: CodeTests, limits: Limits) -> Execution:
    """Run the test file beside the candidate, up to the first test that fails.

    Raises:
        InputError: if the test file does not parse or asserts nothing.
    """
    plan = plan_tests(tests.code)
    run = runner.run_tests(code, tests, plan, limits)
    outcome = run.outcome
    if run.ending is not None or outcome is None:
        verdict = run.ending or Verdict.CRASHED
        refused = verdict is Verdict.REFUSED
        message = f"the program {run.refusal if refused else feedback.LIMITS[verdict]}"
        return Execution(verdict, "", message, in_process=True, cpu_seconds=run.cpu_seconds)
    verdict, error_type, message = _conclude(outcome, tests, plan)
    failing = plan.names.index(outcome.test) if outcome.test in plan.names else None
    return Execution(verdict, error_type, message, failing, True, run.cpu_seconds)


def _conclude(
    outcome: TestOutcome, tests: CodeTests, plan: PlannedTests
) -> tuple[Verdict, str, str]:
    if outcome.kind == "tampered":
        return Verdict.REFUSED, "", f"the program changes {scrub(outcome.message)}"
    if outcome.kind == "passed":
        if outcome.tests_passed != len(plan.names):
            return Verdict.REFUSED, "", "not every test ran to its end"
        return Verdict.PASSED, "", ""
    if outcome.error_type == "MemoryError":
        return Verdict.MEMORY, "", f"the program {feedback.LIMITS[Verdict.MEMORY]}"
    where = f"{outcome.test}: " if outcome.test else ""
    line = feedback.line_text(tests.code, outcome.line)
    text = feedback.shorten(" ".join(scrub(outcome.message).split()))
    error = f"{outcome.error_type}: {text}" if text else outcome.error_type
    message = f"{where}{line} raised {error}" if line else f"{where}{error}"
    if outcome.kind == "failed":
        return Verdict.WRONG_ANSWER, "", message
    return Verdict.EXCEPTION, outcome.error_type, message
