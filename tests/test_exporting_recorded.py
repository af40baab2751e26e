"""What an export holds so that another machine can go on from it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from small_grid import (
    SCORED,
    SCORES,
    TRAJECTORIES,
    VALIDATION,
    publish_versions,
    small_grid,
)

from iterpref_assets import exporting_recorded
from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.results import read_results
from iterpref_assets.exporting import export_grid
from iterpref_assets.exporting_recorded import write_programs
from iterpref_assets.settings import Settings
from iterpref_assets.steps.experiment_recorded import made_of
from iterpref_assets.steps.step import Step, StepContext


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(exporting_recorded, "DEBUG_TRAJECTORIES", TRAJECTORIES)
    return small_grid(tmp_path / "root", monkeypatch)


def test_cells_tell_what_each_of_their_results_was_made_of(settings, tmp_path):
    export_grid(settings, tmp_path / "lab")
    cells = read_results(tmp_path / "lab").cells
    made_of = json.loads(cells.filter(arm="sft", rate=1e-5)["made_of"][0])
    assert set(made_of) == {"experiment_validation", "experiment_scores"}
    assert all(len(digest) == 64 for digest in made_of.values())


def test_an_export_takes_over_what_another_machine_recorded(settings, tmp_path, monkeypatch):
    steps = {step.asset: step for step in (VALIDATION, SCORES)}
    monkeypatch.setattr(exporting_recorded, "step_of", steps.__getitem__)
    export_grid(settings, tmp_path / "lab")
    there = read_results(tmp_path / "lab")
    for asset in steps:
        (settings.root / "artifacts" / asset / SCORED / "current").unlink()
    recorded = {"validation_problems": 2, "recorded": tmp_path / "lab"}
    here = Settings.model_validate(settings.model_dump() | {"experiment": recorded})
    export_grid(here, tmp_path / "again" / "lab")
    again = read_results(tmp_path / "again" / "lab")
    assert sorted(again.scores.rows()) == sorted(there.scores.rows())
    assert sorted(again.cells["made_of"]) == sorted(there.cells["made_of"])


def _unknown_of(unknown: str) -> Callable[[StepContext, Step, str], str | None]:
    def known(context: StepContext, step: Step, key: str) -> str | None:
        return None if key == unknown else made_of(context, step, key)

    return known


def _without_a_plan_of(unknown: str) -> Callable[[StepContext, Step, str], str | None]:
    """As of a second round whose first round has not been tried at every rate."""

    def known(context: StepContext, step: Step, key: str) -> str | None:
        if key == unknown:
            raise InputError("a rate has not been tried", remedy="Try it first")
        return made_of(context, step, key)

    return known


@pytest.mark.parametrize("without", [_unknown_of, _without_a_plan_of])
def test_nothing_is_lost_of_arms_that_cannot_be_planned_here(
    settings, tmp_path, monkeypatch, caplog, without
):
    steps = {step.asset: step for step in (VALIDATION, SCORES)}
    monkeypatch.setattr(exporting_recorded, "step_of", steps.__getitem__)
    export_grid(settings, tmp_path / "lab")
    cells = read_results(tmp_path / "lab").cells
    shutil.rmtree(settings.root / "artifacts" / "experiment_validation" / SCORED)
    shutil.rmtree(settings.root / "artifacts" / "experiment_scores" / SCORED)
    monkeypatch.setattr(exporting_recorded, "made_of", without(SCORED))
    recorded = {"validation_problems": 2, "recorded": tmp_path / "lab"}
    here = Settings.model_validate(settings.model_dump() | {"experiment": recorded})
    export_grid(here, tmp_path / "again" / "lab")
    assert read_results(tmp_path / "again" / "lab").cells.height == cells.height
    assert "tells whether they stand: sft" in caplog.text


def test_nothing_is_lost_of_an_arm_that_is_no_more(settings, tmp_path, monkeypatch, caplog):
    export_grid(settings, tmp_path / "lab")
    there = read_results(tmp_path / "lab")
    for asset in (VALIDATION.asset, SCORES.asset):
        shutil.rmtree(settings.root / "artifacts" / asset / SCORED)
    steps = {step.asset: step for step in (VALIDATION, SCORES)}
    monkeypatch.setattr(exporting_recorded, "step_of", steps.__getitem__)
    monkeypatch.setattr(exporting_recorded, "_NAMES", {"reference"})
    recorded = {"validation_problems": 2, "recorded": tmp_path / "lab"}
    here = Settings.model_validate(settings.model_dump() | {"experiment": recorded})
    export_grid(here, tmp_path / "again" / "lab")
    again = read_results(tmp_path / "again" / "lab")
    assert again.scores.filter(arm="sft").equals(there.scores.filter(arm="sft"))
    assert "tells whether they stand: sft" in caplog.text


def test_programs_are_written_without_what_debugging_was_shown(settings, tmp_path):
    context = StepContext(settings, ArtifactStore(settings.root))
    publish_versions(context, TRAJECTORIES, [("t0", 0, 0, "wrong_answer"), ("t0", 0, 1, "passed")])
    [file] = write_programs(settings, tmp_path / "lab")
    assert file == tmp_path / "lab" / "programs" / "lab-000.parquet"
    rows = tables.read_table(file, tables.VERSIONS)
    assert rows["verdict"].to_list() == ["wrong_answer", "passed"]
    assert rows["feedback"].to_list() == ["", ""]


def with_record(settings: Settings, folder: Path, shards: int) -> Settings:
    """The same with more shards, and programs that are recorded in a folder."""
    seeds = {"lab": {"shards": shards}}
    recorded = {"validation_problems": 2, "recorded": folder}
    return Settings.model_validate(settings.model_dump() | {"seeds": seeds, "experiment": recorded})


@pytest.fixture
def debugged(settings: Settings) -> None:
    """One program of the first shard, lab-000."""
    context = StepContext(settings, ArtifactStore(settings.root))
    publish_versions(context, TRAJECTORIES, [("t0", 0, 0, "passed")])


def test_programs_that_were_recorded_before_go_with_those_that_are_debugged_here(
    settings, debugged, tmp_path, caplog
):
    [first] = write_programs(settings, tmp_path / "before")
    other = first.rename(first.with_name("lab-001.parquet"))
    here = with_record(settings, tmp_path / "before", 3)
    files = write_programs(here, tmp_path / "lab")
    assert [file.name for file in files] == ["lab-000.parquet", "lab-001.parquet"]
    assert files[1].read_bytes() == other.read_bytes()
    assert "not debugged yet, and left out: lab-002" in caplog.text


def test_programs_that_pairs_are_made_of_go_before_others_of_their_shard(
    settings, debugged, tmp_path
):
    [file] = write_programs(settings, tmp_path / "before")
    recorded = tables.read_table(file, tables.VERSIONS).with_columns(code=pl.lit("recorded"))
    tables.write_table(recorded, tables.VERSIONS, file)
    here = with_record(settings, tmp_path / "before", 1)

    def written() -> str:
        [out] = write_programs(here, tmp_path / "lab")
        return tables.read_table(out, tables.VERSIONS)["code"][0]

    assert written() != "recorded"
    store = ArtifactStore(settings.root)
    with store.publishing(Plan(ArtifactKey("experiment_programs", "lab-000"), "1")):
        pass  # recorded programs have been run, so that pairs are made of them
    assert written() == "recorded"


def test_programs_of_an_earlier_export_that_no_longer_stand_are_refused(
    settings, debugged, tmp_path
):
    [first] = write_programs(settings, tmp_path / "lab")
    shutil.copy(first, first.with_name("lab-001.parquet"))
    more = Settings.model_validate(settings.model_dump() | {"seeds": {"lab": {"shards": 2}}})
    with pytest.raises(InputError, match="programs of lab-001 are there"):
        write_programs(more, tmp_path / "lab")


def test_where_nothing_was_debugged_there_are_no_programs(settings, tmp_path):
    with pytest.raises(InputError, match="debug_trajectories/lab-000 is missing or out of date"):
        write_programs(settings, tmp_path)
