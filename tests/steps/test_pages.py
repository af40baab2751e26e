"""The page of an artifact lies beside it, and is no part of it."""

from pathlib import Path

import polars as pl
import pytest
from published_shard import SHARD, publish, publish_pairs
from read_pages import read_page
from score_tables import score_table

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.pairs.config import Negatives
from iterpref_assets.steps.benchmarks import PROMPTS_FILE, SCORES_FILE
from iterpref_assets.steps.evaluations import GREEDY_FILE
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.pages import page_beside, write_all_pairs, write_all_trajectories
from iterpref_assets.steps.pairs import PAIRS_FILE


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "data")


def beside(store: ArtifactStore, asset: str, partition: str = SHARD) -> Path | None:
    return page_beside(store, store.current(ArtifactKey(asset, partition)))


def publish_scores(
    store: ArtifactStore, asset: str, file: str, variant: str, verdicts: dict[str, str],
    parents: tuple[ArtifactKey, ...] = (),
) -> None:  # fmt: skip
    rows = [
        (task, 0, "", "x", verdict, "", verdict == "passed", None)
        for task, verdict in verdicts.items()
    ]
    plan = Plan(ArtifactKey(asset, f"lab/{variant}"), "1", {}, parents)
    with store.publishing(plan) as staging:
        tables.write_table(score_table(rows), tables.SCORES, staging.folder / file)


def test_the_page_of_trajectories_shows_their_problems(store, tmp_path) -> None:
    publish_pairs(store, tmp_path, Negatives.FIRST)
    page = beside(store, "debug_trajectories")
    assert page == store.root / "pages" / "debug_trajectories" / f"{SHARD}.html"
    assert read_page(page).of_kind("p2#1", "text")[0] == ["Problem", "Give 2."]


def test_the_page_of_pairs_knows_their_source(store, tmp_path) -> None:
    publish_pairs(store, tmp_path, Negatives.FIRST)
    page = beside(store, "codeflow_pairs")
    assert read_page(page).facet("Source")["p2#1:0-1"] == ["test"]


def test_the_page_of_pairs_names_the_problems_without_one(store, tmp_path) -> None:
    publish_pairs(store, tmp_path, Negatives.FIRST)
    empty = (PAIRS_FILE, pl.DataFrame(schema=tables.PAIRS), tables.PAIRS)
    publish(store, "codeflow_pairs", {}, empty)
    found = read_page(beside(store, "codeflow_pairs"))
    assert found.facet("Pairs") == {
        "p2": ["no pair: no candidate"], "p3": ["no pair: no candidate"],
    }  # fmt: skip
    assert found.of_kind("p2", "text") == [["Prompt", "Give 2."]]


def test_a_page_changes_nothing_of_its_artifact(store, tmp_path) -> None:
    publish_pairs(store, tmp_path, Negatives.FIRST)
    key = ArtifactKey("debug_trajectories", SHARD)
    before = store.current(key)
    files = {path: path.read_bytes() for path in before.folder.iterdir()}
    beside(store, "debug_trajectories")
    assert store.current(key) == before
    assert {path: path.read_bytes() for path in before.folder.iterdir()} == files


def test_an_asset_that_has_no_page_gets_none(store) -> None:
    publish(store, "initial_samples", {})
    assert beside(store, "initial_samples") is None


def test_scores_of_a_recipe_stand_beside_the_reference_models(store) -> None:
    publish_scores(store, "heldout_scores", GREEDY_FILE, "reference", {"a": "wrong_answer"})
    publish_scores(store, "heldout_scores", GREEDY_FILE, "focal_rpo", {"a": "passed"})
    page = beside(store, "heldout_scores", "lab/focal_rpo")
    assert page == store.root / "pages" / "heldout_scores" / "lab" / "focal_rpo.html"
    assert read_page(page).facet("Change") == {"a": ["won"]}


def test_scores_without_the_reference_models_stand_alone(store) -> None:
    publish_scores(store, "heldout_scores", GREEDY_FILE, "focal_rpo", {"a": "passed"})
    found = read_page(beside(store, "heldout_scores", "lab/focal_rpo"))
    assert found.facet("Outcome") == {"a": ["passed"]}


def test_held_out_scores_show_what_was_asked(store) -> None:
    problems = pl.DataFrame([{"problem_id": "a", "prompt": "Do a."}], schema=tables.PROBLEMS)
    with store.publishing(Plan(ArtifactKey("heldout_problems"), "1", {})) as staging:
        tables.write_table(problems, tables.PROBLEMS, staging.folder / PROBLEMS_FILE)
    publish_scores(store, "heldout_scores", GREEDY_FILE, "reference", {"a": "passed"})
    found = read_page(beside(store, "heldout_scores", "lab/reference"))
    assert found.of_kind("a", "text") == [["Task", "Do a."]]


def test_scores_of_a_benchmark_show_what_was_asked(store) -> None:
    with store.publishing(Plan(ArtifactKey("humaneval_tasks"), "1", {})) as staging:
        (staging.folder / PROMPTS_FILE).write_text('{"a": "Do a."}')
    publish_scores(store, "humaneval_scores", SCORES_FILE, "reference", {"a": "passed"})
    found = read_page(beside(store, "humaneval_scores", "lab/reference"))
    assert found.of_kind("a", "text") == [["Task", "Do a."]]


def test_one_page_can_hold_every_shard(store, tmp_path) -> None:
    pairs = publish_pairs(store, tmp_path, Negatives.FIRST)
    assert write_all_pairs(store, tmp_path / "pairs.html") == pairs.height
    assert write_all_trajectories(store, tmp_path / "t.html") == 6
    assert set(read_page(tmp_path / "t.html").facet("Source")) == {
        f"p{problem}#{sample}" for problem in (2, 3) for sample in range(3)
    }


def test_the_page_of_a_shard_reads_no_other_shards_problems(store, tmp_path) -> None:
    publish_pairs(store, tmp_path, Negatives.FIRST)
    break_problems(store, "other")
    assert read_page(beside(store, "codeflow_pairs")).facet("Source")["p2#1:0-1"] == ["test"]


def test_the_page_of_a_base_models_pairs_reads_the_problems_of_their_shards(
    store, tmp_path
) -> None:
    pairs = publish_pairs(store, tmp_path, Negatives.FIRST)
    break_problems(store, "other")
    plan = Plan(
        ArtifactKey("preference_pairs", "lab"), "1", {}, (ArtifactKey("codeflow_pairs", SHARD),)
    )
    with store.publishing(plan) as staging:
        tables.write_table(pairs, tables.PAIRS, staging.folder / PAIRS_FILE)
    page = beside(store, "preference_pairs", "lab")
    assert read_page(page).facet("Source")["p2#1:0-1"] == ["test"]


def break_problems(store: ArtifactStore, shard: str) -> None:
    with store.publishing(Plan(ArtifactKey("seed_problems", shard), "1")) as staging:
        (staging.folder / PROBLEMS_FILE).write_text("no table")


def test_scores_are_not_shown_beside_the_reference_models_of_earlier_problems(store) -> None:
    problems = ArtifactKey("heldout_problems")
    for digest, variant, verdict in (("1", "reference", "wrong_answer"), ("2", "sft", "passed")):
        with store.publishing(Plan(problems, digest)) as staging:
            prompts = pl.DataFrame([{"problem_id": digest}], schema=tables.PROBLEMS)
            tables.write_table(prompts, tables.PROBLEMS, staging.folder / PROBLEMS_FILE)
        publish_scores(
            store, "heldout_scores", GREEDY_FILE, variant, {"a": verdict}, parents=(problems,)
        )
    found = read_page(beside(store, "heldout_scores", "lab/sft"))
    assert found.facet("Outcome") == {"a": ["passed"]}
