import polars as pl
import pytest
from score_tables import score_table

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.summary import PLUS, difference, error_table, summarize

CONFIG = EvaluationConfig(samples=2, temperature=0.8, ks=(1, 2, 10))


def scores(*rows: tuple[str, int, str, str, bool, bool | None]) -> pl.DataFrame:
    filled = [
        (task, i, "", "", verdict, error, base, plus)
        for task, i, verdict, error, base, plus in rows
    ]
    return score_table(filled)


def passed(task: str, sample: int = 0):
    return (task, sample, "passed", "", True, None)


def failed(task: str, sample: int = 0, verdict: str = "wrong_answer", error: str = ""):
    return (task, sample, verdict, error, False, None)


def test_pass_rates_follow_from_the_counts():
    summary = summarize(scores(passed("a"), failed("a", 1), failed("b"), failed("b", 1)), CONFIG)
    # Task a: pass@1 1/2, pass@2 1; task b: 0.
    assert summary.pass_at_1 == 0.25
    assert summary.pass_at_k == {1: 0.25, 2: 0.5}
    assert (summary.n, summary.samples) == (2, 2)


def test_a_rate_gives_its_interval_and_its_figures_by_name():
    summary = summarize(scores(passed("a"), failed("a", 1), failed("b"), failed("b", 1)), CONFIG)
    assert summary.by_name == {"pass@1": 0.25, "pass@2": 0.5}
    interval = Interval(estimate=0.25, low=summary.low, high=summary.high)
    assert summary.interval == interval


def test_a_sample_passes_plus_only_if_it_passes_base_too():
    frame = scores(("a", 0, "wrong_answer", "", False, True), ("b", 0, "passed", "", True, True))
    summary = summarize(frame, CONFIG)
    assert summary.plus is not None
    assert (summary.pass_at_1, summary.plus.pass_at_1) == (0.5, 0.5)


def test_a_benchmark_without_plus_tests_has_no_plus_rate():
    assert summarize(scores(passed("a")), CONFIG).plus is None


def test_failures_are_counted_by_exception_and_else_by_verdict():
    summary = summarize(
        scores(
            failed("a", 0, "exception", "KeyError"), failed("a", 1), failed("b"), passed("b", 1)
        ),
        CONFIG,
    )
    assert [(e.error_type, e.count) for e in summary.error_types] == [
        ("wrong_answer", 2),
        ("KeyError", 1),
    ]


def test_no_scores_are_refused():
    with pytest.raises(InputError, match="no scores"):
        summarize(scores(), CONFIG)


def test_the_difference_pairs_tasks_by_id_whatever_their_order():
    interval = difference(
        scores(passed("a"), failed("b")), scores(failed("b"), passed("a")), CONFIG
    )
    assert (interval.low, interval.estimate, interval.high) == (0.0, 0.0, 0.0)


def test_the_plus_difference_reads_the_plus_column():
    better = scores(("a", 0, "passed", "", True, True))
    worse = scores(("a", 0, "wrong_answer", "", True, False))
    assert difference(better, worse, CONFIG).estimate == 0.0
    assert difference(better, worse, CONFIG, PLUS).estimate == 1.0


def test_models_scored_on_different_tasks_are_not_compared():
    with pytest.raises(InputError, match="only one of the two models was scored on b"):
        difference(scores(passed("a")), scores(passed("a"), passed("b")), CONFIG)


def test_the_error_table_has_a_column_per_variant_and_zeros_where_none_failed():
    table = error_table(
        {
            "rpo": scores(failed("a", 0, "exception", "KeyError"), failed("b")),
            "focal_rpo": scores(passed("a"), failed("b")),
            "perfect": scores(passed("a"), passed("b")),
        }
    )
    assert table.rows() == [("KeyError", 1, 0, 0), ("wrong_answer", 1, 1, 0)]
    assert table.columns == ["error_type", "rpo", "focal_rpo", "perfect"]


def test_the_error_table_of_faultless_models_is_empty():
    assert error_table({"a": scores(passed("x")), "b": scores(passed("x"))}).height == 0
