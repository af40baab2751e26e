"""Subtrees are drawn by frequency, the same ones for the same seed."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.seeds.feature_tree import FeatureTree, leaves, read_feature_tree
from iterpref_assets.core.seeds.synthetic import FeatureTreeSeeds

TREE = {"data": {"lists": ["sort", "slice"], "maps": []}, "text": ["split", "join", "trim"]}


def draw(frequencies: dict[str, float], shape: tuple[int, ...], temperature: float = 1.0, seed=0):
    return FeatureTree(TREE, frequencies).draw(random.Random(seed), shape, temperature)


@given(st.integers(), st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_a_draw_is_a_subtree_of_the_shape_that_is_asked_for(seed: int, shape: list[int]) -> None:
    def check(part, whole, sizes) -> None:
        assert len(part) <= (sizes[0] if sizes else 0)
        assert set(part) <= set(whole)
        if isinstance(part, dict):
            for name in part:
                check(part[name], whole[name], sizes[1:])

    check(draw({}, tuple(shape), seed=seed), TREE, shape)


def test_what_is_seen_more_often_is_drawn_more_often() -> None:
    drawn = Counter(
        next(iter(draw({"data": 9, "text": 1}, (1,), seed=seed))) for seed in range(2000)
    )
    assert 1700 < drawn["data"] < 1900


def test_a_high_temperature_draws_rare_features_about_as_often() -> None:
    drawn = Counter(
        next(iter(draw({"data": 9, "text": 1}, (1,), 1000.0, seed))) for seed in range(2000)
    )
    assert 900 < drawn["data"] < 1100


def test_paths_below_the_root_have_counts_of_their_own() -> None:
    counts = {"data": 1000.0, "data---lists": 1000.0, "data---lists---slice": 1000.0}
    drawn = Counter(leaves(draw(counts, (1, 1, 1), seed=seed))[0] for seed in range(200))
    assert drawn["data/lists/slice"] > 190


def test_a_feature_that_was_never_seen_can_be_drawn() -> None:
    drawn = {next(iter(draw({"data": 0.0, "text": 0.0}, (1,), seed=seed))) for seed in range(50)}
    assert drawn == {"data", "text"}


def test_leaves_are_named_by_their_paths() -> None:
    assert leaves(TREE) == (
        "data/lists/sort", "data/lists/slice", "data/maps", "text/split", "text/join", "text/trim",
    )  # fmt: skip


@pytest.mark.parametrize("text", ["[1, 2]", "{half", '{"a": 1}', '{"a": [1]}'])
def test_a_file_that_is_no_tree_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tree.json"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_feature_tree(path, None)
    assert caught.value.file == path


def seeds(folder: Path, **changes: object) -> FeatureTreeSeeds:
    (folder / "tree.json").write_text(json.dumps(TREE))
    given = {"tree": folder / "tree.json", "heldout": folder / "h.jsonl", "tasks_per_shard": 5}
    return FeatureTreeSeeds.model_validate({**given, **changes})


def test_a_draw_depends_on_its_shard_and_number_alone(tmp_path: Path) -> None:
    few = seeds(tmp_path, parts=2).draws("tree-001")
    more = seeds(tmp_path, parts=3, tasks_per_shard=9).draws("tree-001")
    assert few == more[:5]
    assert few != seeds(tmp_path, parts=2).draws("tree-000")
    assert [each.name for each in few][:2] == ["tree-001/00000", "tree-001/00001"]


def test_another_seed_draws_other_subtrees(tmp_path: Path) -> None:
    assert seeds(tmp_path).draws("tree-000") != seeds(tmp_path, seed=1).draws("tree-000")


def test_epicoders_own_files_are_read(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "seeds"
    drawn = seeds(
        tmp_path,
        tree=folder / "epicoder_feature_tree_top50.json",
        frequencies=folder / "epicoder_feature_frequencies_top50.json",
        tasks_per_shard=100,
    ).draws("tree-000")
    assert len({each.features for each in drawn}) > 95
    roots = Counter(path.split("/")[0] for each in drawn for path in each.paths)
    assert roots["workflow"] > roots["security"]
