"""The experiment's result tables, from its artifacts."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
from small_grid import (
    FIRST_OF_SECOND,
    INDEPENDENT,
    MODELS,
    PAIRS,
    SAMPLED,
    SCORED,
    SCORES,
    SECOND_MODELS,
    SECOND_PAIRS,
    STRONGER,
    TRAJECTORIES,
    VALIDATION,
    a_step,
    publish_first_answers,
    publish_model,
    publish_pairs,
    publish_samples,
    publish_scores,
    publish_seeds,
    publish_versions,
    small_grid,
)

from iterpref_assets import exporting, exporting_pairs, exporting_recorded
from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.checkout import commit_of
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.results import Results, read_results
from iterpref_assets.exporting import export_grid
from iterpref_assets.settings import Settings
from iterpref_assets.steps import experiment_scores
from iterpref_assets.steps.experiment import sizes
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import StepContext


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    return small_grid(tmp_path / "root", monkeypatch)


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
    publish_model(context, MODELS, "sft@1e-05@1")
    publish_scores(context, SCORES, "sft@1e-05@1", True, True, True)
    export_grid(settings, tmp_path / "lab")
    made = read_results(tmp_path / "lab")
    assert made.matrix("sft").tolist() == [[1, 0, 1], [1, 1, 1]]
    assert made.cells.filter(arm="sft", seed=1)["validation"].to_list() == [None]


@pytest.mark.parametrize("seed", [0, 1])
def test_scores_at_a_rate_without_validation_are_left_out(settings, tmp_path, seed):
    context = StepContext(settings, ArtifactStore(settings.root))
    scored = f"dpo@1e-05@{seed}"
    publish_model(context, MODELS, scored)
    publish_scores(context, SCORES, scored, True, True, True)
    publish_samples(context, scored, ("t0", "x = 1", True))
    export_grid(settings, tmp_path / "lab")
    made = read_results(tmp_path / "lab")
    assert made.arms == ["reference", "sft"]
    assert made.cells.filter(arm="dpo").is_empty()
    assert made.curves.filter(arm="dpo").is_empty()
    assert made.sampled.is_empty()


@pytest.mark.parametrize("asset", ["experiment_validation", "experiment_scores"])
def test_a_grid_without_a_score_of_the_reference_is_refused(settings, tmp_path, monkeypatch, asset):
    newer = a_step(asset, Partitioning.CELL, version="2")
    publish_scores(StepContext(settings, ArtifactStore(settings.root)), newer, SCORED, True)
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


def test_kinds_are_those_of_sets_whose_difference_is_lines(settings, tmp_path):
    context = StepContext(settings, ArtifactStore(settings.root))
    for name in ("tokens", "nodes", "prefix_suffix"):
        publish_pairs(context, PAIRS, name)
    export_grid(settings, tmp_path / "lab")
    assert set(read_results(tmp_path / "lab").kinds["pairs"]) == {"random", "prefix_suffix"}


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
    publish_samples(context, SCORED, *codes)
    export_grid(settings, tmp_path / "lab")
    found = read_results(tmp_path / "lab").sampled
    assert found.rows() == [("sft", 1e-5, 0, "t0", 3, 2, 2)]


def test_samples_that_the_settings_no_longer_ask_for_are_left_out(settings, tmp_path, monkeypatch):
    context = StepContext(settings, ArtifactStore(settings.root))
    publish_scores(context, SAMPLED, SCORED, True)
    monkeypatch.setattr(exporting, "EXPERIMENT_SAMPLED", experiment_scores.EXPERIMENT_SAMPLED)
    assert sizes(settings).samples == 0
    export_grid(settings, tmp_path / "lab")
    made = read_results(tmp_path / "lab")
    assert made.sampled.is_empty()
    assert made.arms == ["reference", "sft"]


def test_rounds_are_those_of_every_first_answer_with_a_program_or_without(settings, tmp_path):
    context = StepContext(settings, ArtifactStore(settings.root))
    publish_first_answers(context, "p", "q", "r", "s")
    rows = [("p", 0, 0, "raised"), ("p", 0, 1, "passed"), ("q", 0, 0, "passed")]
    publish_versions(context, TRAJECTORIES, rows)
    export_grid(settings, tmp_path / "lab")
    rounds = read_results(tmp_path / "lab").rounds
    debugged = rounds.filter(method="debugging").group_by("problem_id").agg("solved")
    never = [0.0] * 6
    by_hand = {"p": [0, *[1] * 5], "q": [1] * 6, "r": never, "s": never}
    assert dict(debugged.iter_rows()) == by_hand
    sampled = rounds.filter(method="sampling")
    assert sampled.select("problem_id", "calls", "solved").rows() == [
        ("p", 1, 0.0), ("q", 1, 1.0), ("r", 1, 0.0), ("s", 1, 0.0),
    ]  # fmt: skip


def test_rounds_are_not_counted_where_a_shard_is_missing(settings, tmp_path):
    publish_first_answers(StepContext(settings, ArtifactStore(settings.root)), "p")
    more = Settings.model_validate(settings.model_dump() | {"seeds": {"lab": {"shards": 2}}})
    context = StepContext(more, ArtifactStore(settings.root))
    publish_versions(context, TRAJECTORIES, [("p", 0, 0, "passed")])
    export_grid(more, tmp_path / "lab")
    assert read_results(tmp_path / "lab").rounds.is_empty()


def test_samples_are_counted_to_the_calls_that_every_problem_got(settings, tmp_path):
    context = StepContext(settings, ArtifactStore(settings.root))
    publish_seeds(context, "p", "q")
    # seven calls: p got four and q three; those without a program left no version
    rows = [("p", 0, 0, "raised"), ("p", 2, 0, "passed")]
    publish_versions(context, INDEPENDENT, rows, calls=7)
    export_grid(settings, tmp_path / "lab")
    rounds = read_results(tmp_path / "lab").rounds
    assert rounds.rows() == [
        *(("sampling", "p", calls, solved) for calls, solved in ((1, 0.0), (2, 0.0), (3, 1.0))),
        *(("sampling", "q", calls, 0.0) for calls in (1, 2, 3)),
    ]


def test_cells_that_no_longer_stand_are_left_out(settings, tmp_path, monkeypatch):
    newer = a_step("experiment_scores", Partitioning.CELL, version="2")
    context = StepContext(settings, ArtifactStore(settings.root))
    publish_scores(context, newer, "reference", True)
    monkeypatch.setattr(exporting, "EXPERIMENT_SCORES", newer)
    export_grid(settings, tmp_path / "lab")
    assert read_results(tmp_path / "lab").arms == ["reference"]


@pytest.mark.parametrize("gone", [SCORED, "sft@3e-05@0"])
def test_cells_whose_model_no_longer_stands_are_left_out(settings, tmp_path, monkeypatch, gone):
    kept = ({SCORED, "sft@3e-05@0"} - {gone}).pop()
    newer = a_step("experiment_models", Partitioning.CELL, version="2")
    publish_model(StepContext(settings, ArtifactStore(settings.root)), newer, kept)
    monkeypatch.setattr(exporting, "EXPERIMENT_MODELS", newer)
    export_grid(settings, tmp_path / "lab")
    made = read_results(tmp_path / "lab")
    rate = float(kept.split("@")[1])
    assert made.cells["rate"].to_list() == [None, rate]
    assert made.arms == (["reference", "sft"] if kept == SCORED else ["reference"])
    assert set(made.scores["rate"]) <= {None, rate}


def out_of_date(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> None:
    """Let the artifacts of a step that were published be those of an earlier version of it."""
    monkeypatch.setattr(module, name, replace(getattr(module, name), code_version="2"))


def test_pairs_that_no_longer_stand_are_left_out_with_their_models(settings, tmp_path, monkeypatch):
    out_of_date(monkeypatch, exporting_pairs, "EXPERIMENT_PAIRS")
    export_grid(settings, tmp_path / "lab")
    made = read_results(tmp_path / "lab")
    assert made.cells["arm"].to_list() == ["reference"]
    assert made.arms == ["reference"]
    assert made.kinds.is_empty()


def test_pairs_of_a_second_round_that_no_longer_stand_are_left_out_with_their_models(
    settings, tmp_path, monkeypatch
):
    publish_second_round(StepContext(settings, ArtifactStore(settings.root)), 3e-5, 1e-4, 3e-4)
    out_of_date(monkeypatch, exporting_pairs, "EXPERIMENT_SECOND_PAIRS")
    export_grid(settings, tmp_path / "lab")
    made = read_results(tmp_path / "lab")
    assert made.arms == ["reference", "sft"]
    assert set(made.kinds["pairs"]) == {"random"}


def test_debugging_that_no_longer_stands_is_left_out_of_the_rounds(settings, tmp_path, monkeypatch):
    context = StepContext(settings, ArtifactStore(settings.root))
    publish_first_answers(context, "p")
    publish_versions(context, TRAJECTORIES, [("p", 0, 0, "passed")])
    out_of_date(monkeypatch, exporting, "DEBUG_TRAJECTORIES")
    export_grid(settings, tmp_path / "lab")
    assert read_results(tmp_path / "lab").rounds.is_empty()


def test_samples_that_no_longer_stand_are_left_out_of_the_rounds(settings, tmp_path, monkeypatch):
    context = StepContext(settings, ArtifactStore(settings.root))
    publish_seeds(context, "p")
    publish_versions(context, INDEPENDENT, [("p", 0, 0, "passed")], calls=1)
    out_of_date(monkeypatch, exporting, "EXPERIMENT_SAMPLES")
    export_grid(settings, tmp_path / "lab")
    assert read_results(tmp_path / "lab").rounds.is_empty()


SECOND = "focal_rpo-second@0.0001@0"


def publish_first_round(context: StepContext, *validated: float) -> None:
    """Models of focal_rpo at some rates, of which 1e-4 is best."""
    for rate in validated:
        key = f"focal_rpo@{rate:g}@0"
        publish_model(context, MODELS, key)
        publish_scores(context, VALIDATION, key, rate == 1e-4, True)


def publish_second_round(context: StepContext, *validated: float) -> None:
    """A scored model that goes on from that of the first round at 1e-4."""
    publish_first_round(context, *validated)
    publish_pairs(context, SECOND_PAIRS, "focal_rpo-second")
    publish_model(context, SECOND_MODELS, SECOND)
    for step in (VALIDATION, SCORES):
        publish_scores(context, step, SECOND, True, True, True)


def test_a_second_round_stands_beside_the_first_one_with_pairs_of_its_own(settings, tmp_path):
    publish_second_round(StepContext(settings, ArtifactStore(settings.root)), 3e-5, 1e-4, 3e-4)
    export_grid(settings, tmp_path / "lab")
    made = read_results(tmp_path / "lab")
    assert made.arms == ["reference", "sft", "focal_rpo-second"]
    row = made.cells.filter(arm="focal_rpo-second").row(0, named=True)
    assert (row["recipe"], row["pairs"], row["focal_share"]) == (
        *("focal_rpo", "focal_rpo-second", 0.25),
    )
    assert set(made.kinds["pairs"]) == {"random", "focal_rpo-second"}


def test_a_second_round_stands_where_the_first_ones_scores_are_on_record(
    settings, tmp_path, monkeypatch
):
    steps = {step.asset: step for step in (VALIDATION, SCORES)}
    monkeypatch.setattr(exporting_recorded, "step_of", steps.__getitem__)
    context = StepContext(settings, ArtifactStore(settings.root))
    rates = 3e-5, 1e-4, 3e-4
    publish_first_round(context, *rates)
    export_grid(settings, tmp_path / "lab")
    for rate in rates:
        shutil.rmtree(settings.root / "artifacts" / VALIDATION.asset / f"focal_rpo@{rate:g}@0")
    publish_second_round(context)
    recorded = {"validation_problems": 2, "recorded": tmp_path / "lab"}
    here = Settings.model_validate(settings.model_dump() | {"experiment": recorded})
    export_grid(here, tmp_path / "again" / "lab")
    assert "focal_rpo-second" in read_results(tmp_path / "again" / "lab").arms


def test_a_second_round_tells_which_first_model_it_goes_on_from(settings, tmp_path):
    store = ArtifactStore(settings.root)
    publish_second_round(StepContext(settings, store), 3e-5, 1e-4, 3e-4)
    export_grid(settings, tmp_path / "lab")
    cells = read_results(tmp_path / "lab").cells
    first = ArtifactKey("experiment_models", FIRST_OF_SECOND)
    assert json.loads(cells.filter(arm="focal_rpo-second")["config"].item()) == {
        "first_model": {
            "key": "experiment_models/focal_rpo@0.0001@0",
            "content_hash": store.current(first).manifest.content_hash,
        }
    }
    assert set(cells.filter(pl.col("arm") != "focal_rpo-second")["config"]) == {"{}"}


def test_pairs_of_a_second_round_that_is_left_out_are_left_out(settings, tmp_path):
    publish_second_round(StepContext(settings, ArtifactStore(settings.root)), 3e-5, 1e-4)
    export_grid(settings, tmp_path / "lab")
    assert set(read_results(tmp_path / "lab").kinds["pairs"]) == {"random"}


def test_a_second_round_whose_first_one_may_be_another_is_left_out(settings, tmp_path):
    publish_second_round(StepContext(settings, ArtifactStore(settings.root)), 3e-5, 1e-4)
    export_grid(settings, tmp_path / "lab")
    assert read_results(tmp_path / "lab").arms == ["reference", "sft"]


def test_a_second_round_whose_first_one_no_longer_stands_is_left_out(
    settings, tmp_path, monkeypatch
):
    context = StepContext(settings, ArtifactStore(settings.root))
    publish_second_round(context, 3e-5, 1e-4, 3e-4)
    newer = a_step("experiment_models", Partitioning.FIRST_CELL, version="2")
    publish_model(context, newer, SCORED)
    monkeypatch.setattr(exporting, "EXPERIMENT_MODELS", newer)
    export_grid(settings, tmp_path / "lab")
    assert read_results(tmp_path / "lab").arms == ["reference", "sft"]


def test_a_folder_named_like_another_base_model_is_refused(settings, tmp_path):
    with pytest.raises(InputError, match="tables of base model lab do not belong"):
        export_grid(settings, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_grid_without_scores_is_refused(tmp_path):
    with pytest.raises(InputError, match="no cell of the experiment is scored"):
        export_grid(Settings(root=tmp_path / "root"), tmp_path / "lab")
