"""What is said where a reference solution fails for no known reason."""

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.evalplus.data import EvalPlusBenchmark, EvalPlusData
from iterpref_assets.core.evaluation.evalplus.suite import EvalPlusSuite
from iterpref_assets.core.evaluation.livecodebench.data import LiveCodeBenchData
from iterpref_assets.core.evaluation.livecodebench.suite import LiveCodeBenchSuite
from iterpref_assets.core.evaluation.references import ReferenceResult, require_passing

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


@pytest.mark.parametrize("name", SUITES)
def test_no_other_benchmark_is_told_to_look_at_the_libraries_of_bigcodebench(name):
    remedy = SUITES[name].facts.remedy
    assert remedy.startswith("Check that the data file is unchanged")
    assert "bigcodebench" not in remedy
