"""Pairs of the experiment, made of a published shard."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from published_shard import PROBLEMS, SHARD, publish_trajectories
from published_shard import publish as publish_files

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.settings import Settings
from iterpref_assets.steps.experiment import EXPERIMENT_PAIRS
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.models import BASE_MODELS
from iterpref_assets.steps.pairs import PAIRS_FILE, TOKENS_FILE
from iterpref_assets.steps.step import StepContext
from iterpref_assets.steps.trajectories import VERSIONS_FILE

ALLOWED = {"allow_training_on": ["llmdebugger"]}


@pytest.fixture
def context(tmp_path: Path, tiny_checkpoint: Path) -> StepContext:
    """A store with the published shard, and an experiment whose base model is the tiny one."""
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / f"{SHARD}.jsonl").touch()
    settings = Settings.model_validate(
        {
            "root": tmp_path / "data",
            "experiment": {"base_model": "mine"},
            "base_models": {"mine": {"source": "local", "path": tiny_checkpoint}},
            "seeds": {"kind": "files", "folder": tmp_path / "seeds", "heldout": tmp_path / "none"},
        }
    )
    context = StepContext(settings, ArtifactStore(settings.root))
    publish_trajectories(context.store, tmp_path)
    BASE_MODELS.publish(context, [BASE_MODELS.plan(context, "mine")])
    return context


def publish_pairs(context: StepContext, **filters: object) -> None:
    settings = context.settings.overridden("seed_filter", filters)
    changed = StepContext(settings, context.store)
    plan = EXPERIMENT_PAIRS.plan(changed, "random")
    EXPERIMENT_PAIRS.publish(changed, [context.store.pinned(plan)])


def read_pairs(context: StepContext) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The pairs of the set `random`, and its tokens."""
    artifact = context.store.current(ArtifactKey("experiment_pairs", "random"))
    return (
        tables.read_table(artifact.path(PAIRS_FILE), tables.PAIRS),
        tables.read_table(artifact.path(TOKENS_FILE), tables.TOKENIZED_PAIRS),
    )


def of_a_benchmark(context: StepContext, source: str) -> None:
    """Publish the shard as if its problem p2 were one of MBPP's own tasks, from `source`."""
    own = {"problem_id": "MBPP/2", "source": source}
    problems = problems_to_frame([PROBLEMS[0].model_copy(update=own), PROBLEMS[1]])
    key = ArtifactKey("debug_trajectories", SHARD)
    file = context.store.current(key).path(VERSIONS_FILE)
    versions = tables.read_table(file, tables.VERSIONS).with_columns(
        problem_id=pl.col("problem_id").replace({"p2": "MBPP/2"})
    )
    publish_files(context.store, "seed_problems", {}, (PROBLEMS_FILE, problems, tables.PROBLEMS))
    publish_files(
        context.store, "debug_trajectories", {}, (VERSIONS_FILE, versions, tables.VERSIONS)
    )


def test_tokens_are_those_of_kept_pairs(context) -> None:
    publish_pairs(context)
    pairs, tokens = read_pairs(context)
    kept = pairs.filter(pl.col("dropped_by").is_null())
    assert tokens["pair_id"].to_list() == kept["pair_id"].to_list()
    assert kept["problem_id"].unique().sort().to_list() == ["p2", "p3"]


@pytest.mark.parametrize(("source", "filters"), [("llmdebugger", {}), ("other", ALLOWED)])
def test_pairs_of_a_benchmark_are_refused(context, source, filters) -> None:
    of_a_benchmark(context, source)
    with pytest.raises(InputError, match=f"MBPP/2 of the source '{source}'") as caught:
        publish_pairs(context, **filters)
    assert "experiment_pairs" in str(caught.value)


def test_the_override_lets_through_pairs_of_the_source_it_names(context) -> None:
    of_a_benchmark(context, "llmdebugger")
    publish_pairs(context, **ALLOWED)
    assert "MBPP/2" in read_pairs(context)[0]["problem_id"].to_list()


def test_pairs_depend_on_the_override(context) -> None:
    allowed = StepContext(context.settings.overridden("seed_filter", ALLOWED), context.store)
    assert EXPERIMENT_PAIRS.plan(allowed, "random") != EXPERIMENT_PAIRS.plan(context, "random")


def test_an_empty_set_of_pairs_is_refused_by_its_own_name(context) -> None:
    versions = pl.DataFrame(schema=tables.VERSIONS)
    publish_files(
        context.store, "debug_trajectories", {}, (VERSIONS_FILE, versions, tables.VERSIONS)
    )
    with pytest.raises(InputError, match="there is no pair") as caught:
        publish_pairs(context)
    assert caught.value.field == "experiment_pairs"
    assert context.store.find(ArtifactKey("experiment_pairs", "random")) is None


def test_the_log_of_the_shards_own_pairs_is_left_alone(context) -> None:
    # codeflow_pairs holds it as long as it builds.
    publish_pairs(context)
    assert not (context.store.root / "executions").exists()


def test_pairs_are_built_within_the_root(context, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "full"))
    publish_pairs(context)
    assert read_pairs(context)[1].height > 0
