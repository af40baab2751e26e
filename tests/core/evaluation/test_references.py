"""What is said where a reference solution fails for no known reason."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.evalplus.data import EvalPlusBenchmark, EvalPlusData
from iterpref_assets.core.evaluation.evalplus.suite import EvalPlusSuite
from iterpref_assets.core.evaluation.livecodebench.data import LiveCodeBenchData
from iterpref_assets.core.evaluation.livecodebench.suite import LiveCodeBenchSuite
from iterpref_assets.core.evaluation.references import (
    ReferenceResult,
    references_of,
    require_passing,
    run_references,
)
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

FAILING = ReferenceResult(task_id="T/1", group="", not_run="", verdict="wrong_answer")
SUITES = {
    "humaneval": EvalPlusSuite(EvalPlusData(EvalPlusBenchmark.HUMANEVAL, {}, "sha", "md5")),
    "livecodebench": LiveCodeBenchSuite(LiveCodeBenchData({}, "sha", "md5"), {}),
}


def test_the_first_failing_reference_is_named_with_the_suites_remedy():
    with pytest.raises(InputError, match=r"first T/1: wrong_answer.*Look at the clock"):
        require_passing([FAILING, FAILING], "Look at the clock")


def test_a_reference_that_fails_for_a_known_reason_stops_nothing():
    require_passing([FAILING.model_copy(update={"not_run": "needs the network"})])


def test_what_references_came_to_counts_for_one_version_of_judging(tmp_path):
    suite = EvalPlusSuite(EvalPlusData(EvalPlusBenchmark.HUMANEVAL, {}, "sha", "md5"))
    for judging in (1, 1, 2):
        suite.facts = replace(suite.facts, judging=judging)
        references_of(suite, {}, None, tmp_path, 1)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", SUITES)
def test_no_other_benchmark_is_told_to_look_at_the_libraries_of_bigcodebench(name):
    remedy = SUITES[name].facts.remedy
    assert remedy.startswith("Check that the data file is unchanged")
    assert "bigcodebench" not in remedy


class Task:
    """A task whose reference comes to one verdict after another; it counts how often it is run."""

    def __init__(self, name: str, *verdicts: Verdict) -> None:
        self.task_id, self.verdicts, self.runs = name, verdicts, 0

    def judge(self, _solution: str, _sandbox: object) -> SimpleNamespace:
        verdict = self.verdicts[self.runs]
        self.runs += 1
        return SimpleNamespace(execution=Execution(verdict=verdict))


def verdicts_of(tasks: list[Task], work: Path) -> dict[str, str]:
    """What `run_references` comes to for tasks of a suite that knows no reason to leave one out."""
    facts = SimpleNamespace(
        source=SimpleNamespace(sha256="sha"), libraries={}, groups={}, missing={},
        references={task.task_id: "" for task in tasks},
    )  # fmt: skip
    suite: Any = SimpleNamespace(facts=facts, why_not_run=lambda _name, _execution: "")
    given: Any = {task.task_id: task for task in tasks}
    sandbox: Any = None
    results = run_references(suite, given, sandbox, work, workers=1)
    return {result.task_id: result.verdict for result in results}


def test_a_reference_that_failed_is_run_again_and_one_that_passed_is_not(tmp_path: Path) -> None:
    busy = Task("T/1", Verdict.TIMEOUT, Verdict.PASSED)
    good = Task("T/2", Verdict.PASSED)
    assert verdicts_of([busy, good], tmp_path) == {"T/1": "timeout", "T/2": "passed"}
    for _ in range(2):
        assert verdicts_of([busy, good], tmp_path) == {"T/1": "passed", "T/2": "passed"}
    assert (busy.runs, good.runs) == (2, 1)
