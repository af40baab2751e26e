"""The experiment's grid where another machine recorded results of it."""

import json
from pathlib import Path

import polars as pl
import pytest
from grid_steps import SOLVED, Made, made_steps, sizes

from iterpref_assets import grid
from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.arms import Cell, PairSet, arm_named
from iterpref_assets.core.experiment.results import CELLS, FILES, Results, write_results
from iterpref_assets.grid import Grid, made_before, make_grid
from iterpref_assets.settings import Settings
from iterpref_assets.steps.experiment_rates import chosen_cells
from iterpref_assets.steps.experiment_recorded import made_of
from iterpref_assets.steps.experiment_scores import EXPERIMENT_SCORES
from iterpref_assets.steps.step import StepContext

SFT = arm_named("sft")
TRIED = ["sft@1e-05@0", "sft@3e-05@0", "sft@0.0001@0"]
ASKED = ("experiment_validation", "experiment_scores", "experiment_stronger")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    return made_steps(monkeypatch)


def a_machine(root: Path, recorded: Path | None, **changed: object) -> Settings:
    experiment = {**sizes(seeds=3), "recorded": recorded, **changed}
    return Settings.model_validate({"root": root, "experiment": experiment})


@pytest.fixture
def elsewhere(made: Made, tmp_path: Path) -> StepContext:
    """What another machine made of `sft` with two seeds."""
    settings = a_machine(tmp_path / "elsewhere", None)
    make_grid(settings, Grid((SFT,), 2))
    made.cells.clear()
    return StepContext(settings, ArtifactStore(settings.root))


def record(context: StepContext, folder: Path, *without: tuple[str, str]) -> Path:
    """The tables of what `context` made, but for some of its assets and cells."""
    cells: dict[str, dict[str, str | None]] = {}
    for asset in ASKED:
        for key in context.store.partitions(asset):
            if (asset, key) not in without:
                digest = made_of(context, getattr(grid, asset.upper()), key)
                cells.setdefault(key, {})[asset] = digest
    rows = [
        {
            **Cell.parse(key).model_dump(),
            "validation": SOLVED.get(Cell.parse(key).rate or 0, 0) / 4,
            "made_of": json.dumps(assets),
        }
        for key, assets in cells.items()
    ]
    tables = [pl.DataFrame(schema=schema) for schema in FILES.values()]
    tables[0] = pl.DataFrame(rows, schema=CELLS)
    write_results(Results(*tables), folder)
    return folder


def test_nothing_that_is_recorded_is_made_again(made, elsewhere, tmp_path):
    recorded = record(elsewhere, tmp_path / "lab")
    make_grid(a_machine(tmp_path / "here", recorded), Grid((SFT,), 2))
    assert made.cells == [("experiment_pairs", "random")]


def test_a_recorded_validation_chooses_the_rate(made, elsewhere, tmp_path):
    settings = a_machine(tmp_path / "here", record(elsewhere, tmp_path / "lab"))
    context = StepContext(settings, ArtifactStore(settings.root))
    assert chosen_cells(context, SFT, 1) == ["sft@3e-05@0"]


def test_another_seed_is_trained_at_the_rate_that_the_record_chooses(made, elsewhere, tmp_path):
    recorded = record(elsewhere, tmp_path / "lab")
    make_grid(a_machine(tmp_path / "here", recorded), Grid((SFT,), 3))
    assert made.of("experiment_models") == made.of("experiment_scores") == ["sft@3e-05@2"]
    assert made.of("experiment_validation") == []


def test_a_model_whose_scores_are_not_recorded_is_trained_and_scored(made, elsewhere, tmp_path):
    missing = ("experiment_scores", "sft@3e-05@0")
    recorded = record(elsewhere, tmp_path / "lab", missing)
    make_grid(a_machine(tmp_path / "here", recorded), Grid((SFT,), 2))
    assert made.of("experiment_models") == made.of("experiment_scores") == ["sft@3e-05@0"]


def test_a_rate_without_a_recorded_validation_is_tried(made, elsewhere, tmp_path):
    recorded = record(elsewhere, tmp_path / "lab", ("experiment_validation", "sft@0.0001@0"))
    make_grid(a_machine(tmp_path / "here", recorded), Grid((SFT,), 2))
    assert made.of("experiment_models") == made.of("experiment_validation") == ["sft@0.0001@0"]


def test_records_of_other_steps_count_for_nothing(made, elsewhere, tmp_path, monkeypatch):
    recorded = record(elsewhere, tmp_path / "lab")
    made_steps(monkeypatch, code_version="2")
    make_grid(a_machine(tmp_path / "here", recorded), Grid((SFT,), 1))
    store = ArtifactStore(tmp_path / "here")
    assert set(store.partitions("experiment_models")) == set(TRIED)


def test_what_is_made_here_counts_beside_the_record(made, elsewhere, tmp_path):
    recorded = record(elsewhere, tmp_path / "lab", ("experiment_stronger", "sft@3e-05@1"))
    settings = a_machine(tmp_path / "here", recorded)
    make_grid(settings, Grid((SFT,), 2))
    assert made.of("experiment_stronger") == ["sft@3e-05@1"]
    made.cells.clear()
    make_grid(settings, Grid((SFT,), 2))
    assert made.cells == []


@pytest.mark.parametrize("pair_set", [PairSet.RANDOM, PairSet.SAMPLED])
def test_with_recorded_programs_nothing_is_sampled_or_debugged_but_for_sampled_pairs(
    tmp_path, pair_set
):
    settings = a_machine(tmp_path / "here", tmp_path / "lab")
    first, *others = shards = list(settings.seeds.shards())
    assert others
    context = StepContext(settings, ArtifactStore(settings.root))
    before = made_before(context, [EXPERIMENT_SCORES], [pair_set])
    assert list(before["initial_samples"]) == list(before["debug_trajectories"]) == shards
    (tmp_path / "lab" / "programs").mkdir(parents=True)
    (tmp_path / "lab" / "programs" / f"{first}.parquet").touch()
    before = made_before(context, [EXPERIMENT_SCORES], [pair_set])
    assert {"lab_base_model", "base_models"} <= set(before)
    assert list(before["experiment_programs"]) == [first]
    assert list(before["seed_problems"]) == shards
    here = shards if pair_set is PairSet.SAMPLED else others
    assert list(before["initial_samples"]) == list(before["debug_trajectories"]) == here


def test_programs_of_other_seeds_are_refused_before_anything_is_made(made, tmp_path):
    (tmp_path / "lab" / "programs").mkdir(parents=True)
    (tmp_path / "lab" / "programs" / "other-000.parquet").touch()
    with pytest.raises(InputError, match="of other-000, which is no shard of the seeds"):
        make_grid(a_machine(tmp_path / "here", tmp_path / "lab"), Grid((SFT,), 1))
    assert made.cells == []


def test_an_empty_folder_of_programs_is_no_record(made, tmp_path):
    (tmp_path / "lab" / "programs").mkdir(parents=True)
    with pytest.raises(InputError, match="no recorded results"):
        make_grid(a_machine(tmp_path / "here", tmp_path / "lab"), Grid((SFT,), 1))


def test_a_folder_without_records_is_refused_before_anything_is_made(made, tmp_path):
    with pytest.raises(InputError, match="no recorded results") as told:
        make_grid(a_machine(tmp_path / "here", tmp_path / "mistyped"), Grid((SFT,), 1))
    assert told.value.file == tmp_path / "mistyped"
    assert made.cells == []
