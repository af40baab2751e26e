"""Independent samples: at equal calls, and five of each problem."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_shard import PROBLEMS as SHARD_PROBLEMS
from published_shard import SHARD, CountingEngine, judge
from published_shard import publish as publish_files

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore
from iterpref_assets.core.engines.protocol import Engine
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.problems import compose_shard
from iterpref_assets.core.reached import ProgramJudging
from iterpref_assets.settings import Settings
from iterpref_assets.steps import experiment_samples
from iterpref_assets.steps.experiment import EXPERIMENT_PAIRS
from iterpref_assets.steps.experiment_samples import (
    EQUAL_CALLS_FILE,
    EXPERIMENT_SAMPLES,
    calls_by_problem,
)
from iterpref_assets.steps.generator import COMPLETIONS_FILE
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.models import BASE_MODELS
from iterpref_assets.steps.pairs import PAIRS_FILE
from iterpref_assets.steps.step import StepContext
from iterpref_assets.steps.trajectories import VERSIONS_FILE

PROBLEMS = compose_shard(LabConfig(problems_per_shard=7), "lab-000")


def test_the_first_problems_get_one_call_more():
    shares = calls_by_problem(PROBLEMS, 16)
    assert [(count, len(group)) for count, group in shares] == [(3, 2), (2, 5)]


def test_an_even_share_is_one_group():
    assert calls_by_problem(PROBLEMS, 14) == [(2, PROBLEMS)]


@given(st.integers(0, 60))
def test_all_calls_are_used_and_no_more(calls):
    assert sum(count * len(group) for count, group in calls_by_problem(PROBLEMS, calls)) == calls


@given(st.integers(7, 60))
def test_every_problem_is_sampled_once_there_are_calls_enough(calls):
    shares = calls_by_problem(PROBLEMS, calls)
    assert [problem for _, group in shares for problem in group] == PROBLEMS


@pytest.fixture
def context(tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> StepContext:
    """A store with a shard of p2 and p3, and an engine whose sample n answers n."""

    @asynccontextmanager
    async def opened(_context: StepContext) -> AsyncGenerator[tuple[Engine, ProgramJudging]]:
        async with CountingEngine() as engine:
            yield engine, judge

    monkeypatch.setattr(experiment_samples, "generator_and_judge", opened)
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / f"{SHARD}.jsonl").touch()
    mine = {"source": "local", "path": tiny_checkpoint}
    settings = Settings.model_validate(
        {
            "root": tmp_path / "data",
            "experiment": {"base_model": "mine"},
            "base_models": {"mine": mine},
            "generator": mine,
            "seeds": {"kind": "files", "folder": tmp_path / "seeds", "heldout": tmp_path / "none"},
        }
    )
    context = StepContext(settings, ArtifactStore(settings.root))
    problems = (PROBLEMS_FILE, problems_to_frame(SHARD_PROBLEMS), tables.PROBLEMS)
    publish_files(context.store, "seed_problems", {}, problems)
    BASE_MODELS.publish(context, [BASE_MODELS.plan(context, "mine")])
    return context


def sample(context: StepContext, *, calls: int) -> Artifact:
    """The samples where debugging took so many calls, first answers included."""
    rows = [{"key": str(call), "problem_id": "p2"} for call in range(calls)]
    for asset, drawn in (("initial_samples", rows[:2]), ("debug_trajectories", rows[2:])):
        frame = pl.DataFrame(drawn, schema=tables.COMPLETIONS)
        publish_files(context.store, asset, {}, (COMPLETIONS_FILE, frame, tables.COMPLETIONS))
    plan = context.store.pinned(EXPERIMENT_SAMPLES.plan(context, SHARD))
    EXPERIMENT_SAMPLES.publish(context, [plan])
    return context.store.current(ArtifactKey("experiment_samples", SHARD))


def drawn(samples: Artifact, file: str) -> Mapping[str, list[int]]:
    versions = tables.read_table(samples.path(file), tables.VERSIONS)
    return dict(versions.group_by("problem_id").agg("sample").iter_rows())


def test_five_samples_of_each_problem_are_drawn_where_debugging_took_fewer_calls(context):
    samples = sample(context, calls=7)
    assert drawn(samples, VERSIONS_FILE) == {"p2": [0, 1, 2, 3, 4], "p3": [0, 1, 2, 3, 4]}
    assert samples.manifest.figures["calls"] == 10


def test_as_many_samples_as_debugging_took_calls_are_kept_apart(context):
    assert drawn(sample(context, calls=7), EQUAL_CALLS_FILE) == {
        "p2": [0, 1, 2, 3],
        "p3": [0, 1, 2],
    }


def test_no_more_samples_than_calls_are_drawn_where_debugging_took_five_and_more(context):
    samples = sample(context, calls=11)
    assert drawn(samples, VERSIONS_FILE) == {"p2": [0, 1, 2, 3, 4, 5], "p3": [0, 1, 2, 3, 4]}
    assert drawn(samples, EQUAL_CALLS_FILE) == drawn(samples, VERSIONS_FILE)


def test_pairs_are_made_of_as_many_samples_as_debugging_took_calls(context):
    sample(context, calls=7)  # p2 passes with its third sample, p3 with its fourth
    plan = context.store.pinned(EXPERIMENT_PAIRS.plan(context, "sampled"))
    EXPERIMENT_PAIRS.publish(context, [plan])
    made = context.store.current(ArtifactKey("experiment_pairs", "sampled"))
    pairs = tables.read_table(made.path(PAIRS_FILE), tables.PAIRS)
    assert pairs["problem_id"].to_list() == ["p2"]
