"""Recorded programs, run anew, and the pairs that are made of them."""

import logging
from pathlib import Path

import polars as pl
import pytest
from published_shard import PROBLEMS, SHARD
from published_shard import publish as publish_files

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.phases import phases
from iterpref_assets.settings import Settings
from iterpref_assets.steps.experiment import EXPERIMENT_PAIRS
from iterpref_assets.steps.experiment_programs import EXPERIMENT_PROGRAMS
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.models import BASE_MODELS
from iterpref_assets.steps.pairs import PAIRS_FILE
from iterpref_assets.steps.step import StepContext
from iterpref_assets.steps.trajectories import VERSIONS_FILE

PASSING = "def f():\n    return 2"
FAILING = "def f():\n    return 4"
"""Of p2, which asks for 2."""


def program(task: str, round_: int, code: str, verdict: str) -> dict[str, object]:
    return {
        "trajectory_id": f"{task}#0", "problem_id": task, "sample": 0, "round": round_,
        "code": code, "verdict": verdict, "error_type": "", "feedback": "",
    }  # fmt: skip


TRAJECTORY = [program("p2", 0, FAILING, "wrong_answer"), program("p2", 1, PASSING, "passed")]


def record(folder: Path, rows: list[dict[str, object]]) -> None:
    (folder / "programs").mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame(rows, schema=tables.VERSIONS)
    tables.write_table(frame, tables.VERSIONS, folder / "programs" / f"{SHARD}.parquet")


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """The folder with what another machine recorded."""
    record(tmp_path / "recorded", TRAJECTORY)
    return tmp_path / "recorded"


@pytest.fixture
def context(tmp_path: Path, recorded: Path, tiny_checkpoint: Path) -> StepContext:
    """A store with the seed problems p2 and p3, and no trajectory."""
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / f"{SHARD}.jsonl").touch()
    mine = {"source": "local", "path": tiny_checkpoint}
    settings = Settings.model_validate(
        {
            "root": tmp_path / "data",
            "experiment": {"base_model": "mine", "recorded": recorded},
            "base_models": {"mine": mine},
            "generator": mine,
            "seeds": {"kind": "files", "folder": tmp_path / "seeds", "heldout": tmp_path / "none"},
        }
    )
    context = StepContext(settings, ArtifactStore(settings.root))
    problems = (PROBLEMS_FILE, problems_to_frame(PROBLEMS), tables.PROBLEMS)
    publish_files(context.store, "seed_problems", {}, problems)
    return context


def run(context: StepContext) -> Artifact:
    plan = context.store.pinned(EXPERIMENT_PROGRAMS.plan(context, SHARD))
    EXPERIMENT_PROGRAMS.publish(context, [plan])
    return context.store.current(ArtifactKey("experiment_programs", SHARD))


def test_recorded_programs_are_run_here(context):
    versions = tables.read_table(run(context).path(VERSIONS_FILE), tables.VERSIONS)
    assert versions.select("code", "verdict").rows() == [
        (FAILING, "wrong_answer"),
        (PASSING, "passed"),
    ]
    # the record has none: it would quote the tests
    assert "4" in versions["feedback"][0]


def test_a_verdict_that_was_claimed_counts_for_nothing(context, recorded):
    record(recorded, [program("p2", 0, FAILING, "passed")])
    made = run(context)
    versions = tables.read_table(made.path(VERSIONS_FILE), tables.VERSIONS)
    assert versions["verdict"].to_list() == ["wrong_answer"]
    assert made.manifest.figures["claims_refuted"] == 1


def test_programs_of_problems_that_are_no_seeds_are_refused(context, recorded):
    record(recorded, [*TRAJECTORY, program("p9", 0, PASSING, "passed")])
    with pytest.raises(InputError, match=r"1 recorded problems are none of the seeds.* p9") as told:
        run(context)
    assert told.value.file == recorded / "programs" / f"{SHARD}.parquet"


def test_other_records_are_other_programs(context, recorded):
    plan = EXPERIMENT_PROGRAMS.plan(context, SHARD)
    record(recorded, TRAJECTORY[:1])
    assert EXPERIMENT_PROGRAMS.plan(context, SHARD).config != plan.config


def test_pairs_are_made_of_the_recorded_programs(context, caplog):
    caplog.set_level(logging.INFO)
    run(context)
    BASE_MODELS.publish(context, [BASE_MODELS.plan(context, "mine")])
    plan = context.store.pinned(EXPERIMENT_PAIRS.plan(context, "random"))
    assert {key.asset for key in plan.parents} == {
        *("experiment_programs", "seed_problems", "base_models"),
    }
    EXPERIMENT_PAIRS.publish(context, [plan])
    made = context.store.current(plan.key).path(PAIRS_FILE)
    pairs = tables.read_table(made, tables.PAIRS)
    assert pairs.select("chosen", "rejected").rows() == [(PASSING, FAILING)]


def test_without_a_record_pairs_are_made_of_debugging_here(context, recorded):
    (recorded / "programs" / f"{SHARD}.parquet").unlink()
    parents = EXPERIMENT_PAIRS.plan(context, "random").parents
    assert "debug_trajectories" in {key.asset for key in parents}
    assert not EXPERIMENT_PROGRAMS.exists(context.settings)


def test_what_was_debugged_here_counts_until_recorded_programs_are_run(context):
    """An export into the folder that is read makes no pairs anew."""
    publish_files(context.store, "debug_trajectories", {})
    assert {key.asset for key in EXPERIMENT_PAIRS.plan(context, "random").parents} == {
        *("debug_trajectories", "seed_problems", "base_models"),
    }
    run(context)
    parents = EXPERIMENT_PAIRS.plan(context, "random").parents
    assert ArtifactKey("experiment_programs", SHARD) in parents
    assert ArtifactKey("debug_trajectories", SHARD) not in parents


def test_a_shard_without_a_record_is_debugged_here(context, tmp_path):
    (tmp_path / "seeds" / "other.jsonl").touch()
    parents = EXPERIMENT_PAIRS.plan(context, "random").parents
    assert ArtifactKey("experiment_programs", SHARD) in parents
    assert ArtifactKey("debug_trajectories", "other") in parents
    assert ArtifactKey("debug_trajectories", SHARD) not in parents
    with pytest.raises(InputError, match="no recorded programs of other"):
        EXPERIMENT_PROGRAMS.plan(context, "other")


def test_a_run_until_pairs_makes_recorded_programs_of_the_shards_that_have_some(context, tmp_path):
    (tmp_path / "seeds" / "other.jsonl").touch()
    made = {
        asset: phase.partitions
        for phase in phases(context.settings, "experiment_pairs")
        for asset in phase.assets
    }
    assert set(made["debug_trajectories"]) == {SHARD, "other"}
    assert made["experiment_programs"] == (SHARD,)


def test_recorded_programs_are_of_the_problems_of_their_shard_alone(context, tmp_path):
    (tmp_path / "seeds" / "other.jsonl").touch()
    parents = EXPERIMENT_PROGRAMS.plan(context, SHARD).parents
    assert parents == (ArtifactKey("seed_problems", SHARD),)
