"""The experiment's result tables, from its artifacts."""

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from iterpref_assets import exporting
from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import UNPARTITIONED, ArtifactStore
from iterpref_assets.core.checkout import commit_of
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.results import Results, read_results
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.problems import compose_heldout
from iterpref_assets.exporting import export_grid
from iterpref_assets.settings import Settings
from iterpref_assets.steps import experiment, experiment_benchmarks
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Step, StepContext

SCORED = "sft@1e-05@0"
"""At a rate that the settings do not name."""


def a_step(asset: str, partitioning: Partitioning, version: str = "1") -> Step:
    return Step(
        asset=asset, partitioning=partitioning, publish=lambda _context, _plans: None,
        code_version=version,
    )  # fmt: skip


MODELS = a_step("experiment_models", Partitioning.CELL)
VALIDATION = a_step("experiment_validation", Partitioning.CELL)
SCORES = a_step("experiment_scores", Partitioning.CELL)
STRONGER = a_step("experiment_stronger", Partitioning.CELL)
SAMPLED = a_step("experiment_sampled", Partitioning.CELL)
BENCHMARKS = a_step("experiment_benchmarks", Partitioning.CELL)


def scores(*passed: bool) -> pl.DataFrame:
    rows = [
        {
            "task_id": f"t{place}", "sample": 0, "completion": "", "code": "",
            "verdict": "passed" if each else "raised", "error_type": "" if each else "KeyError",
            "base_passed": each, "plus_passed": None,
        }
        for place, each in enumerate(passed)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=tables.SCORES)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings whose store holds a reference and one model, both scored, and one unscored model."""
    settings = Settings.model_validate({"root": tmp_path / "root", "experiment": {}})
    context = StepContext(settings, ArtifactStore(settings.root))
    monkeypatch.setattr(exporting, "EXPERIMENT_MODELS", MODELS)
    monkeypatch.setattr(exporting, "EXPERIMENT_VALIDATION", VALIDATION)
    monkeypatch.setattr(exporting, "EXPERIMENT_SCORES", SCORES)
    monkeypatch.setattr(exporting, "EXPERIMENT_STRONGER", STRONGER)
    monkeypatch.setattr(exporting, "EXPERIMENT_SAMPLED", SAMPLED)
    monkeypatch.setattr(exporting, "EXPERIMENT_BENCHMARKS", BENCHMARKS)
    _pairs(context)
    _heldout(context)
    for key in (SCORED, "sft@3e-05@0"):
        _publish_model(context, MODELS, key)
    for key in ("reference", SCORED, "sft@3e-05@0"):
        _publish_scores(context, VALIDATION, key, True, False)
    for key in ("reference", SCORED):
        _publish_scores(context, SCORES, key, key == SCORED, False, True)
    return settings


def _publish_model(context: StepContext, step: Step, key: str) -> None:
    with context.store.publishing(step.plan(context, key)) as staging:
        staging.figures |= {"pairs": 2.0, "steps": 5.0}
        point = {"step": 1, "epoch": 0.5, "loss": 0.25}
        (staging.folder / "metrics.jsonl").write_text(json.dumps(point) + "\n")


def _publish_scores(context: StepContext, step: Step, key: str, *passed: bool) -> None:
    with context.store.publishing(step.plan(context, key)) as staging:
        tables.write_table(scores(*passed), tables.SCORES, staging.folder / "greedy.parquet")


def _publish_samples(context: StepContext, key: str, *codes: tuple[str, str, bool]) -> None:
    """Samples of a cell: problem, program, whether it passed."""
    rows = [
        {
            "task_id": task, "sample": place, "code": code, "completion": "", "verdict": "",
            "error_type": "", "base_passed": passed,
        }
        for place, (task, code, passed) in enumerate(codes)
    ]  # fmt: skip
    with context.store.publishing(SAMPLED.plan(context, key)) as staging:
        frame = pl.DataFrame(rows, schema=tables.SCORES)
        tables.write_table(frame, tables.SCORES, staging.folder / "sampled.parquet")


def _heldout(context: StepContext) -> None:
    """t0 to t3, of which the last is not among those that are scored."""
    problems = [
        each.model_copy(update={"problem_id": f"t{place}", "features": ("number", f"f{place}")})
        for place, each in enumerate(compose_heldout(LabConfig(heldout_problems=4)))
    ]
    with context.store.publishing(HELDOUT_PROBLEMS.plan(context, UNPARTITIONED)) as staging:
        frame = problems_to_frame(problems)
        tables.write_table(frame, tables.PROBLEMS, staging.folder / "problems.parquet")


def _versions(
    context: StepContext, asset: str, rows: Sequence[tuple[str, int, int, str]], calls: int = 0
) -> None:
    """Versions of lab-000, each: problem, sample, round, verdict."""
    names = ("problem_id", "sample", "round", "verdict")
    frame = pl.DataFrame(
        [
            dict(zip(names, row, strict=True)) | {"trajectory_id": f"{row[0]}/{row[1]}"}
            for row in rows
        ],
        schema=tables.VERSIONS,
    )
    step = a_step(asset, Partitioning.SHARD)
    with context.store.publishing(step.plan(context, "lab-000")) as staging:
        tables.write_table(frame, tables.VERSIONS, staging.folder / "versions.parquet")
        staging.figures["calls"] = calls


def _first_answers(context: StepContext, *problems: str) -> None:
    """One completion of each problem."""
    rows = [{"problem_id": name, "sample": 0, "round": 0} for name in problems]
    step = a_step("initial_samples", Partitioning.SHARD)
    with context.store.publishing(step.plan(context, "lab-000")) as staging:
        frame = pl.DataFrame(rows, schema=tables.COMPLETIONS)
        tables.write_table(frame, tables.COMPLETIONS, staging.folder / "completions.parquet")


def _seeds(context: StepContext, *names: str) -> None:
    problems = [
        each.model_copy(update={"problem_id": name})
        for name, each in zip(
            names, compose_heldout(LabConfig(heldout_problems=len(names))), strict=True
        )
    ]
    step = a_step("seed_problems", Partitioning.SHARD)
    with context.store.publishing(step.plan(context, "lab-000")) as staging:
        frame = problems_to_frame(problems)
        tables.write_table(frame, tables.PROBLEMS, staging.folder / "problems.parquet")


def _pairs(context: StepContext) -> None:
    step = a_step("experiment_pairs", Partitioning.PAIR_SET)
    row = {
        "pair_id": "p", "prompt_ids": [1], "chosen_ids": [1, 2], "rejected_ids": [1, 2, 3, 4],
        "chosen_mask": [False, True], "rejected_mask": [False, False, False, True],
    }  # fmt: skip
    with context.store.publishing(step.plan(context, "random")) as staging:
        frame = pl.DataFrame([row], schema=tables.TOKENIZED_PAIRS)
        tables.write_table(frame, tables.TOKENIZED_PAIRS, staging.folder / "tokens.parquet")
        kept = {"pair_id": "p", "rejected": "x = 1", "rejected_diff_lines": [0]}
        dropped = {**kept, "pair_id": "q", "dropped_by": "equal_ast"}
        both = pl.DataFrame([kept, dropped], schema=tables.PAIRS)
        tables.write_table(both, tables.PAIRS, staging.folder / "pairs.parquet")


@pytest.fixture
def exported(settings: Settings, tmp_path: Path) -> Results:
    export_grid(settings, tmp_path / "lab")
    return read_results(tmp_path / "lab")


def test_every_model_is_a_cell_scored_or_not(exported):
    rows = exported.cells.select("arm", "rate", "validation").rows()
    assert rows == [("reference", None, 0.5), ("sft", 1e-5, 0.5), ("sft", 3e-5, 0.5)]


def test_cells_tell_pairs_steps_and_focal_share(exported):
    row = exported.cells.row(1, named=True)
    assert (row["recipe"], row["pairs"], row["pair_count"]) == ("sft", "random", 2)
    assert (row["steps"], row["focal_share"]) == (5, 0.25)


def test_cells_tell_the_commit_and_day_of_the_export(exported):
    row = exported.cells.row(0, named=True)
    assert len(row["commit"]) >= 7
    assert len(row["date"]) == len("2026-01-01")


def test_the_grid_is_exported_from_any_folder(settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    export_grid(settings, tmp_path / "lab")
    commit = read_results(tmp_path / "lab").cells["commit"][0]
    assert commit == commit_of(Path(exporting.__file__), short=True)


def test_scores_are_a_row_a_model_and_problem(exported):
    rows = exported.scores.select("arm", "problem_id", "passed", "error_type").rows()
    assert rows == [
        ("reference", "t0", False, "KeyError"),
        ("reference", "t1", False, "KeyError"),
        ("reference", "t2", True, ""),
        ("sft", "t0", True, ""),
        ("sft", "t1", False, "KeyError"),
        ("sft", "t2", True, ""),
    ]


def test_seeds_that_no_rate_is_chosen_with_are_exported_too(settings, tmp_path):
    context = StepContext(settings, ArtifactStore(settings.root))
    _publish_model(context, MODELS, "sft@1e-05@1")
    _publish_scores(context, SCORES, "sft@1e-05@1", True, True, True)
    export_grid(settings, tmp_path / "lab")
    made = read_results(tmp_path / "lab")
    assert made.matrix("sft").tolist() == [[1, 0, 1], [1, 1, 1]]
    assert made.cells.filter(arm="sft", seed=1)["validation"].to_list() == [None]


@pytest.mark.parametrize("seed", [0, 1])
def test_scores_at_a_rate_without_validation_are_left_out(settings, tmp_path, seed):
    context = StepContext(settings, ArtifactStore(settings.root))
    scored = f"dpo@1e-05@{seed}"
    _publish_model(context, MODELS, scored)
    _publish_scores(context, SCORES, scored, True, True, True)
    _publish_samples(context, scored, ("t0", "x = 1", True))
    export_grid(settings, tmp_path / "lab")
    made = read_results(tmp_path / "lab")
    assert made.arms == ["reference", "sft"]
    assert made.cells.filter(arm="dpo").is_empty()
    assert made.curves.filter(arm="dpo").is_empty()
    assert made.sampled.is_empty()


@pytest.mark.parametrize("asset", ["experiment_validation", "experiment_scores"])
def test_a_grid_without_a_score_of_the_reference_is_refused(settings, tmp_path, monkeypatch, asset):
    newer = a_step(asset, Partitioning.CELL, version="2")
    _publish_scores(StepContext(settings, ArtifactStore(settings.root)), newer, SCORED, True)
    monkeypatch.setattr(exporting, asset.upper(), newer)
    with pytest.raises(InputError, match=f"{asset} of the reference"):
        export_grid(settings, tmp_path / "lab")


def test_curves_are_a_row_a_step_and_figure(exported):
    rows = exported.curves.select("arm", "rate", "step", "name", "value").rows()
    assert rows == [("sft", 1e-5, 1, "loss", 0.25), ("sft", 3e-5, 1, "loss", 0.25)]


def test_kinds_are_those_of_kept_pairs(exported):
    rows = exported.kinds.rows()
    assert sorted(rows) == [
        ("random", "name", 1, 0),
        ("random", "number", 1, 0),
        ("random", "operator", 1, 0),
    ]


def test_tasks_are_the_reported_problems_with_their_features(exported):
    assert exported.tasks.rows() == [
        *(("t0", ["number", "f0"]), ("t1", ["number", "f1"]), ("t2", ["number", "f2"])),
    ]


def test_programs_that_passed_tell_whether_they_pass_stronger_tests(settings, tmp_path):
    context = StepContext(settings, ArtifactStore(settings.root))
    with context.store.publishing(STRONGER.plan(context, SCORED)) as staging:
        frame = pl.DataFrame([("t0", True), ("t2", False)], schema=tables.STRONGER, orient="row")
        tables.write_table(frame, tables.STRONGER, staging.folder / "stronger.parquet")
    export_grid(settings, tmp_path / "lab")
    made = read_results(tmp_path / "lab").scores
    assert made.filter(arm="sft")["passed_stronger"].to_list() == [True, None, False]
    assert made.filter(arm="reference")["passed_stronger"].to_list() == [None, None, None]


def test_samples_are_counted_by_problem_and_as_different_programs(settings, tmp_path):
    context = StepContext(settings, ArtifactStore(settings.root))
    codes = [("t0", "x = 1", True), ("t0", "x = 1  # one", True), ("t0", "x = 2", False)]
    _publish_samples(context, SCORED, *codes)
    export_grid(settings, tmp_path / "lab")
    found = read_results(tmp_path / "lab").sampled
    assert found.rows() == [("sft", 1e-5, 0, "t0", 3, 2, 2)]


def with_benchmarks(settings: Settings, **scored: Sequence[tuple[str, bool, bool]]) -> Settings:
    """Settings that name benchmarks, and SCORED's scores: task, base passed, plus passed."""
    named = settings.model_dump() | {"benchmarks": {name: {"data": "official"} for name in scored}}
    made = Settings.model_validate(named)
    context = StepContext(made, ArtifactStore(made.root))
    with context.store.publishing(BENCHMARKS.plan(context, SCORED)) as staging:
        for name, rows in scored.items():
            frame = scores(*(base for _, base, _ in rows)).with_columns(
                task_id=pl.Series([task for task, _, _ in rows]),
                plus_passed=pl.Series([plus for _, _, plus in rows]),
            )
            tables.write_table(frame, tables.SCORES, staging.folder / f"{name}.parquet")
    return made


def test_benchmark_scores_are_a_row_a_model_and_task(settings, tmp_path):
    # M/2 is said to pass the plus tests alone: those count with the base tests
    asked = with_benchmarks(
        settings, humaneval=[("H/1", True, False)], mbpp=[("M/1", True, True), ("M/2", False, True)]
    )
    export_grid(asked, tmp_path / "lab")
    found = read_results(tmp_path / "lab").benchmarks
    assert found.rows() == [
        ("sft", 1e-5, 0, "humaneval", "H/1", True, False),
        ("sft", 1e-5, 0, "mbpp", "M/1", True, True),
        ("sft", 1e-5, 0, "mbpp", "M/2", False, False),
    ]


def test_benchmark_tasks_that_rates_are_chosen_on_are_left_out(settings, tmp_path):
    # t0 and t1 are validated on, t2 is reported
    asked = with_benchmarks(settings, mbpp=[("T1", True, True), ("T2", True, True)])
    export_grid(asked, tmp_path / "lab")
    assert read_results(tmp_path / "lab").benchmarks["problem_id"].to_list() == ["T2"]


def test_benchmark_scores_that_no_longer_stand_are_left_out(settings, tmp_path, monkeypatch):
    asked = with_benchmarks(settings, mbpp=[("M/1", True, True)])
    newer = a_step("experiment_benchmarks", Partitioning.CELL, version="2")
    monkeypatch.setattr(exporting, "EXPERIMENT_BENCHMARKS", newer)
    export_grid(asked, tmp_path / "lab")
    assert read_results(tmp_path / "lab").benchmarks.is_empty()


def test_benchmark_scores_that_the_settings_no_longer_ask_for_are_left_out(
    settings, tmp_path, monkeypatch
):
    with_benchmarks(settings, mbpp=[("M/1", True, True)])
    monkeypatch.setattr(
        exporting, "EXPERIMENT_BENCHMARKS", experiment_benchmarks.EXPERIMENT_BENCHMARKS
    )
    export_grid(settings, tmp_path / "lab")
    assert read_results(tmp_path / "lab").benchmarks.is_empty()


def test_samples_that_the_settings_no_longer_ask_for_are_left_out(settings, tmp_path, monkeypatch):
    context = StepContext(settings, ArtifactStore(settings.root))
    _publish_scores(context, SAMPLED, SCORED, True)
    monkeypatch.setattr(exporting, "EXPERIMENT_SAMPLED", experiment.EXPERIMENT_SAMPLED)
    assert experiment.sizes(settings).samples == 0
    export_grid(settings, tmp_path / "lab")
    made = read_results(tmp_path / "lab")
    assert made.sampled.is_empty()
    assert made.arms == ["reference", "sft"]


def test_rounds_are_those_of_every_first_answer_with_a_program_or_without(settings, tmp_path):
    context = StepContext(settings, ArtifactStore(settings.root))
    _first_answers(context, "p", "q", "r", "s")
    rows = [("p", 0, 0, "raised"), ("p", 0, 1, "passed"), ("q", 0, 0, "passed")]
    _versions(context, "debug_trajectories", rows)
    export_grid(settings, tmp_path / "lab")
    rounds = read_results(tmp_path / "lab").rounds
    assert rounds.filter(method="debugging")["solved"].to_list() == [0.25, *[0.5] * 5]
    assert rounds.filter(method="sampling").rows() == [("sampling", 1, 0.25)]


def test_samples_are_counted_to_the_calls_that_every_problem_got(settings, tmp_path):
    context = StepContext(settings, ArtifactStore(settings.root))
    _seeds(context, "p", "q")
    # seven calls: p got four and q three; those without a program left no version
    rows = [("p", 0, 0, "raised"), ("p", 2, 0, "passed")]
    _versions(context, "experiment_samples", rows, calls=7)
    export_grid(settings, tmp_path / "lab")
    rounds = read_results(tmp_path / "lab").rounds
    assert rounds.rows() == [("sampling", 1, 0.0), ("sampling", 2, 0.0), ("sampling", 3, 0.5)]


def test_cells_that_no_longer_stand_are_left_out(settings, tmp_path, monkeypatch):
    newer = a_step("experiment_scores", Partitioning.CELL, version="2")
    context = StepContext(settings, ArtifactStore(settings.root))
    _publish_scores(context, newer, "reference", True)
    monkeypatch.setattr(exporting, "EXPERIMENT_SCORES", newer)
    export_grid(settings, tmp_path / "lab")
    assert read_results(tmp_path / "lab").arms == ["reference"]


@pytest.mark.parametrize("gone", [SCORED, "sft@3e-05@0"])
def test_cells_whose_model_no_longer_stands_are_left_out(settings, tmp_path, monkeypatch, gone):
    kept = ({SCORED, "sft@3e-05@0"} - {gone}).pop()
    newer = a_step("experiment_models", Partitioning.CELL, version="2")
    _publish_model(StepContext(settings, ArtifactStore(settings.root)), newer, kept)
    monkeypatch.setattr(exporting, "EXPERIMENT_MODELS", newer)
    export_grid(settings, tmp_path / "lab")
    made = read_results(tmp_path / "lab")
    rate = float(kept.split("@")[1])
    assert made.cells["rate"].to_list() == [None, rate]
    assert made.arms == (["reference", "sft"] if kept == SCORED else ["reference"])
    assert set(made.scores["rate"]) <= {None, rate}


def test_a_folder_named_like_another_base_model_is_refused(settings, tmp_path):
    with pytest.raises(InputError, match="tables of base model lab do not belong"):
        export_grid(settings, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_grid_without_scores_is_refused(tmp_path):
    with pytest.raises(InputError, match="no cell of the experiment is scored"):
        export_grid(Settings(root=tmp_path / "root"), tmp_path / "lab")
