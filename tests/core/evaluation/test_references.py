"""What is said where a reference solution fails for no known reason."""

from dataclasses import replace

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
)

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
