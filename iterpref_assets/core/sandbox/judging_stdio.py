"""Verdicts on whole programs fed on standard input."""

from __future__ import annotations

from iterpref_assets.core.debugging import feedback
from iterpref_assets.core.records import StdioTests
from iterpref_assets.core.sandbox.runs import ProgramRun, Runner, scrub
from iterpref_assets.core.sandbox.verdicts import Execution, Limits, Verdict


def judge_stdio(runner: Runner, code: str, tests: StdioTests, limits: Limits) -> Execution:
    """Run the program once per case, each within `limits`, up to the first that fails."""
    cpu = 0.0
    for number, case in enumerate(tests.cases):
        run = runner.run_program(code, case.stdin, limits.for_output(case.stdout))
        cpu += run.cpu_seconds
        verdict, error_type, what = _outcome(run, case.stdout, code)
        if verdict is not Verdict.PASSED:
            shown = feedback.shorten(case.stdin.strip())
            message = f"with input {shown!r} the program {what}"
            return Execution(verdict, error_type, message, number, cpu_seconds=cpu)
    return Execution(Verdict.PASSED, cpu_seconds=cpu)


def _outcome(run: ProgramRun, expected: str, code: str) -> tuple[Verdict, str, str]:
    """The verdict on one run, the exception's class name, and what the program did."""
    ending = run.ending
    raised = run.raised
    if ending is Verdict.REFUSED:
        return ending, "", run.refusal
    if ending is None and raised is not None and raised.error_type == "MemoryError":
        ending = Verdict.MEMORY
    if ending is not None:
        return ending, "", feedback.LIMITS[ending]
    if raised is not None:
        line = feedback.source_line(code, raised.line)
        what = feedback.exception(raised.error_type, scrub(raised.message), line)
        return Verdict.EXCEPTION, raised.error_type, what
    printed = run.stdout.decode("utf-8", "replace")
    if _lines(printed) == _lines(expected):
        return Verdict.PASSED, "", ""
    wanted, got = feedback.shorten(expected.strip()), feedback.shorten(printed.strip())
    return Verdict.WRONG_ANSWER, "", f"printed {got!r} instead of {wanted!r}"


def _lines(text: str) -> list[str]:
    """Lines without blanks around them, as the judges of programming contests compare."""
    return [line.strip() for line in text.strip().split("\n")]
