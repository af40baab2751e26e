from score_tables import score_table

from iterpref_assets.core.evaluation.benchmark_summary import summarize_benchmark
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.references import ReferenceResult
from iterpref_assets.core.evaluation.suite import DataSource
from iterpref_assets.core.evaluation.tasks import PromptStyle

SOURCE = DataSource(benchmark="toy", sha256="s", md5="m")


def task(name: str, group: str = "", not_run: str = "") -> ReferenceResult:
    return ReferenceResult(task_id=name, group=group, not_run=not_run, verdict="passed")


def summarize(scores: list[tuple[str, str, bool]], *tasks: ReferenceResult):
    rows = [(name, 0, "", "", verdict, "", passed, None) for name, verdict, passed in scores]
    frame = score_table(rows)
    return summarize_benchmark(
        frame, tasks, SOURCE, PromptStyle.PREFILLED, EvaluationConfig(bootstrap={"resamples": 100})
    )


def test_groups_are_summed_up_from_the_same_scores():
    summary = summarize(
        [("a", "passed", True), ("b", "wrong_answer", False), ("c", "passed", True)],
        task("a", "hard"), task("b", "hard"), task("c"),
    )  # fmt: skip
    assert (summary.overall.n, summary.groups["hard"].n) == (3, 2)
    assert summary.groups["hard"].pass_at_1 == 0.5


def test_tasks_that_cannot_run_are_counted_by_reason_and_enter_no_rate():
    summary = summarize(
        [("a", "passed", True)],
        task("a"), task("b", "hard", "needs the network"), task("c", "", "needs the network"),
    )  # fmt: skip
    assert summary.not_run == {"needs the network": 2}
    assert summary.groups == {}
    assert summary.overall.pass_at_1 == 1.0


def test_completions_without_a_program_are_counted_with_their_reason():
    summary = summarize(
        [("a", "passed", True), ("b", "prompt_too_long", False)], task("a"), task("b")
    )
    assert {reason: n for reason, n in summary.unanswered.items() if n} == {"prompt_too_long": 1}
    assert summary.unanswered["filtered"] == 0
    assert summary.overall.pass_at_1 == 0.5
    assert [(e.error_type, e.count) for e in summary.overall.error_types] == [
        ("prompt_too_long", 1)
    ]
