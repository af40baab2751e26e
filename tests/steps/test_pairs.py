"""The steps from trajectories to tokenized pairs and their data card."""

import json
from pathlib import Path

import polars as pl
import pytest
from published_shard import PROBLEMS, SHARD, publish_pairs, publish_trajectories
from published_shard import publish as publish_files

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import Negatives
from iterpref_assets.core.pairs.judge import question
from iterpref_assets.core.reporting.data_card import CARD
from iterpref_assets.settings import Settings, load_settings
from iterpref_assets.steps.chain import step_of
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.pairs import JUDGEMENTS_FILE, PAIRS_FILE, TOKENS_FILE
from iterpref_assets.steps.step import StepContext


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "data")


@pytest.fixture
def settings(
    tmp_path: Path, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path
) -> Settings:
    """Settings whose only shard is the published one, and whose base model is the tiny one."""
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / f"{SHARD}.jsonl").touch()
    seeds = {"kind": "files", "folder": str(tmp_path / "seeds"), "heldout": "none"}
    model = {"mine": {"source": "local", "path": str(tiny_checkpoint)}}
    monkeypatch.setenv("ITERPREF_SEEDS", json.dumps(seeds))
    monkeypatch.setenv("ITERPREF_BASE_MODELS", json.dumps(model))
    monkeypatch.setenv("ITERPREF_ROOT", str(store.root))
    monkeypatch.setenv("ITERPREF_PAIRS__NEGATIVES", "first")
    return load_settings()


def publish(settings: Settings, store: ArtifactStore, asset: str, partition: str) -> Artifact:
    context = StepContext(settings, store)
    step = step_of(asset)
    step.publish(context, [store.pinned(step.plan(context, partition))])
    return store.current(ArtifactKey(asset, partition))


def test_a_shards_pairs_are_those_of_its_trajectories(settings, store, tmp_path) -> None:
    versions = publish_trajectories(store, tmp_path)
    artifact = publish(settings, store, "codeflow_pairs", SHARD)
    built = build_pairs(versions, problems_to_frame(PROBLEMS), settings.pairs)
    assert tables.read_table(artifact.path(PAIRS_FILE), tables.PAIRS).equals(built)
    assert artifact.manifest.row_count == built.height > 0


@pytest.fixture
def judged(settings: Settings, store: ArtifactStore, tmp_path: Path) -> Settings:
    """Settings with a judge whose recorded answers call the pairs of p2 alike in form."""
    versions = publish_trajectories(store, tmp_path)
    pairs = build_pairs(versions, problems_to_frame(PROBLEMS), settings.pairs)
    rows = [
        {
            "key": f"judge#{question(chosen, rejected)}", "finish_reason": "stop", "seed": 0,
            "completion": f"VERDICT: {'FORM' if name == 'p2' else 'SUBSTANCE'}",
            "prompt_tokens": 1, "completion_tokens": 1, "engine": "recorded",
        }
        for name, chosen, rejected in pairs.select("problem_id", "chosen", "rejected").rows()
    ]  # fmt: skip
    path = tmp_path / "answers.parquet"
    answers = pl.DataFrame(rows, schema=tables.COMPLETIONS).unique("key", maintain_order=True)
    tables.write_table(answers, tables.COMPLETIONS, path)
    engine = {"kind": "replay", "completions": (path,)}
    return settings.overridden("pairs", {"judge": {"engine": engine, "model": "judge"}})


def test_the_judge_drops_pairs_and_its_answers_are_published(judged, store) -> None:
    artifact = publish(judged, store, "codeflow_pairs", SHARD)
    pairs = tables.read_table(artifact.path(PAIRS_FILE), tables.PAIRS)
    by_problem = dict(pairs.select("problem_id", "dropped_by").unique().iter_rows())
    assert by_problem == {"p2": "judged_formatting", "p3": None}
    judgements = tables.read_table(artifact.path(JUDGEMENTS_FILE), tables.JUDGEMENTS)
    assert judgements["pair_id"].to_list() == pairs["pair_id"].to_list()
    assert artifact.manifest.figures["judge_answers"]["form"] == 2


def test_the_manifest_names_the_problems_without_a_pair(judged, store) -> None:
    figures = publish(judged, store, "codeflow_pairs", SHARD).manifest.figures
    assert figures["problems_with_pairs"] == 1
    assert figures["problems_without_pairs"] == {"every candidate dropped": 1}
    [(name, why)] = figures["examples_without_pairs"].items()
    assert (name, why) == ("p2", "every candidate dropped: 2 by judged formatting")


def test_pairs_built_in_another_way_ask_the_judge_nothing_twice(judged, store) -> None:
    first = publish(judged, store, "codeflow_pairs", SHARD)
    assert first.manifest.figures["judge_asked"] > 0
    changed = judged.overridden("pairs", {"max_diff_lines": 10})
    again = publish(changed, store, "codeflow_pairs", SHARD)
    assert again.manifest.figures["judge_asked"] == 0
    assert again.manifest.content_hash == first.manifest.content_hash


@pytest.mark.parametrize(
    ("asset", "partition"), [("codeflow_pairs", SHARD), ("preference_pairs", "mine")]
)
def test_fewer_questions_put_to_the_judge_at_once_ask_for_no_other_pairs(
    judged, store, asset: str, partition: str
) -> None:
    judge = judged.pairs.judge.model_dump() | {"max_in_flight": 1}
    changed = judged.overridden("pairs", {"judge": judge})
    plans = [step_of(asset).plan(StepContext(s, store), partition) for s in (judged, changed)]
    assert plans[0] == plans[1]


def test_tokens_are_those_of_kept_pairs(settings, store, tmp_path) -> None:
    publish_trajectories(store, tmp_path)
    publish(settings, store, "codeflow_pairs", SHARD)
    publish(settings, store, "base_models", "mine")
    artifact = publish(settings, store, "preference_pairs", "mine")
    pairs = tables.read_table(artifact.path(PAIRS_FILE), tables.PAIRS)
    tokens = tables.read_table(artifact.path(TOKENS_FILE), tables.TOKENIZED_PAIRS)
    kept = pairs.filter(pl.col("dropped_by").is_null())
    assert tokens["pair_id"].to_list() == kept["pair_id"].to_list()
    assert artifact.manifest.row_count == tokens.height > 0


def test_a_shard_that_came_since_the_plan_is_left_for_the_next_one(
    settings, store, tmp_path
) -> None:
    publish_trajectories(store, tmp_path)
    publish(settings, store, "codeflow_pairs", SHARD)
    publish(settings, store, "base_models", "mine")
    context, step = StepContext(settings, store), step_of("preference_pairs")
    plan = store.pinned(step.plan(context, "mine"))
    (tmp_path / "seeds" / "later.jsonl").touch()
    step.publish(context, [plan])
    assert "codeflow_pairs/later" not in store.current(plan.key).manifest.upstream


def test_an_empty_set_of_pairs_is_refused_with_what_to_do_about_it(
    settings, store, tmp_path
) -> None:
    publish_trajectories(store, tmp_path)
    publish_files(
        store, "codeflow_pairs", {}, (PAIRS_FILE, pl.DataFrame(schema=tables.PAIRS), tables.PAIRS)
    )
    publish(settings, store, "base_models", "mine")
    with pytest.raises(
        InputError, match="no failing program was repaired, so there is no pair"
    ) as caught:
        publish(settings, store, "preference_pairs", "mine")
    assert caught.value.field == "preference_pairs"
    assert caught.value.remedy.startswith("Sample more problems, allow more debugging rounds")
    assert store.find(ArtifactKey("preference_pairs", "mine")) is None


def test_pairs_that_are_all_too_long_are_refused_with_what_dropped_them(
    settings, store, tmp_path
) -> None:
    publish_trajectories(store, tmp_path)
    publish(settings, store, "codeflow_pairs", SHARD)
    publish(settings, store, "base_models", "mine")
    short = settings.overridden("pairs", {"max_tokens": 1})
    with pytest.raises(InputError, match="too_many_tokens"):
        publish(short, store, "preference_pairs", "mine")
    assert store.find(ArtifactKey("preference_pairs", "mine")) is None


def publish_benchmark_pairs(store: ArtifactStore, folder: Path, source: str) -> None:
    """Pairs of one of MBPP's own tasks, which came from `source`."""
    own = {"problem_id": "MBPP/2", "source": source}
    problems = problems_to_frame([PROBLEMS[0].model_copy(update=own)])
    pairs = publish_pairs(store, folder, Negatives.FIRST).with_columns(problem_id=pl.lit("MBPP/2"))
    publish_files(store, "seed_problems", {}, (PROBLEMS_FILE, problems, tables.PROBLEMS))
    publish_files(store, "codeflow_pairs", {}, (PAIRS_FILE, pairs, tables.PAIRS))


ALLOWED = {"allow_training_on": ["llmdebugger"]}


def test_the_override_lets_through_pairs_of_the_source_it_names(settings, store, tmp_path) -> None:
    publish_benchmark_pairs(store, tmp_path, "llmdebugger")
    publish(settings, store, "base_models", "mine")
    allowed = settings.overridden("seed_filter", ALLOWED)
    artifact = publish(allowed, store, "preference_pairs", "mine")
    assert artifact.manifest.config["allow_training_on"] == ["llmdebugger"]


@pytest.mark.parametrize(("source", "filters"), [("llmdebugger", {}), ("other", ALLOWED)])
def test_pairs_of_a_source_that_the_override_does_not_name_are_refused(
    settings, store, tmp_path, source, filters
) -> None:
    publish_benchmark_pairs(store, tmp_path, source)
    publish(settings, store, "base_models", "mine")
    with pytest.raises(InputError, match=f"MBPP/2 of the source '{source}'"):
        publish(settings.overridden("seed_filter", filters), store, "preference_pairs", "mine")


def test_the_data_card_is_made_of_every_stage(settings, store, tmp_path) -> None:
    versions = publish_trajectories(store, tmp_path)
    publish(settings, store, "codeflow_pairs", SHARD)
    publish(settings, store, "base_models", "mine")
    publish(settings, store, "preference_pairs", "mine")
    artifact = publish(settings, store, "data_cards", "mine")
    text = artifact.path(CARD).read_text()
    assert f"| programs run | {versions.height} |" in text
    # Six samples: 2 passes at round 2, 1, 0 of p2 and 3, 2, 1 of p3, so five are debugged.
    assert "| trajectories that passed after debugging | 5 |" in text
    assert artifact.manifest.figures["calls_per_pair"] == versions.height / 5
    assert "of: mbpp." in text
