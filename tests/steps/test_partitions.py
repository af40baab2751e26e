"""Keys of two parts, and which partitions of a parent one of its child is made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.arms import Cell, PairSet
from iterpref_assets.settings import Settings
from iterpref_assets.steps.partitions import (
    ModelVariant,
    Partitioning,
    partitions_of,
    upstream_partitions,
)

SETTINGS = Settings.model_validate(
    {
        "base_models": {"one": {"source": "lab"}, "two": {"source": "lab"}},
        "variants": ["reference", "sft"],
        "seeds": {"kind": "lab", "lab": {"shards": 2}},
    }
)
NAMES = st.text(st.characters(exclude_characters="/"), min_size=1)


@given(NAMES, NAMES)
def test_a_key_of_two_parts_is_read_as_it_was_written(base_model: str, variant: str) -> None:
    model = ModelVariant(base_model, variant)
    assert ModelVariant.parse(model.key) == model


@pytest.mark.parametrize("partition", ["lab", "lab/", "/sft", "lab/sft/more", ""])
def test_a_key_that_has_not_two_parts_is_refused(partition: str) -> None:
    with pytest.raises(InputError, match="BASE_MODEL/VARIANT"):
        ModelVariant.parse(partition)


@pytest.mark.parametrize(
    ("partitioning", "names"),
    [
        (Partitioning.WHOLE, ("all",)),
        (Partitioning.SHARD, ("lab-000", "lab-001")),
        (Partitioning.BASE_MODEL, ("one", "two")),
        (Partitioning.CHECKPOINT, ("one/sft", "two/sft")),
        (Partitioning.SCORE, ("one/reference", "one/sft", "two/reference", "two/sft")),
        (Partitioning.PAIR_SET, tuple(PairSet)),
        (
            Partitioning.SECOND_ROUND,
            ("sft-second", "focal_dpo-second", "focal_rpo-second", "focal_rpo-by_sums-second"),
        ),
    ],
)
def test_the_settings_name_the_partitions_of_each_kind(partitioning, names) -> None:
    assert partitions_of(partitioning, SETTINGS) == names


def test_one_shard_has_no_partition_of_half_of_the_pairs() -> None:
    changed = SETTINGS.model_dump() | {"seeds": {"kind": "lab", "lab": {"shards": 1}}}
    one = Settings.model_validate(changed)
    assert set(PairSet) - set(partitions_of(Partitioning.PAIR_SET, one)) == {PairSet.HALF}
    cells = partitions_of(Partitioning.CELL, one)
    halves = set(partitions_of(Partitioning.CELL, SETTINGS)) - set(cells)
    arms = {Cell.parse(key).arm for key in halves}
    assert arms == {"sft-half", "focal_dpo-half", "focal_rpo-half"}
    assert not halves & set(partitions_of(Partitioning.FIRST_CELL, one))


@pytest.mark.parametrize(
    ("parent", "child", "partition", "names"),
    [
        (Partitioning.WHOLE, Partitioning.SHARD, "lab-000", ("all",)),
        (Partitioning.SHARD, Partitioning.SHARD, "lab-000", ("lab-000",)),
        (Partitioning.SHARD, Partitioning.BASE_MODEL, "one", ("lab-000", "lab-001")),
        (Partitioning.SHARD, Partitioning.PAIR_SET, "first", ("lab-000", "lab-001")),
        (
            *(Partitioning.SHARD, Partitioning.SECOND_ROUND),
            *("focal_rpo-second", ("lab-000", "lab-001")),
        ),
        (Partitioning.CELL, Partitioning.CELL, "sft@1e-05@0", ("sft@1e-05@0",)),
        (Partitioning.BASE_MODEL, Partitioning.CHECKPOINT, "one/sft", ("one",)),
        (Partitioning.BASE_MODEL, Partitioning.SCORE, "one/reference", ("one",)),
        (Partitioning.CHECKPOINT, Partitioning.SCORE, "one/sft", ("one/sft",)),
        (Partitioning.CHECKPOINT, Partitioning.SCORE, "one/reference", ()),
        (Partitioning.CHECKPOINT, Partitioning.BASE_MODEL, "two", ("two/sft",)),
        (Partitioning.SCORE, Partitioning.BASE_MODEL, "two", ("two/reference", "two/sft")),
    ],
)
def test_a_partition_comes_from_these_of_its_parent(parent, child, partition, names) -> None:
    assert upstream_partitions(parent, child, partition, SETTINGS) == names


def test_every_cell_is_the_reference_or_of_a_first_or_of_a_second_round() -> None:
    every, first, second = (
        partitions_of(kind, SETTINGS)
        for kind in (Partitioning.CELL, Partitioning.FIRST_CELL, Partitioning.SECOND_CELL)
    )
    assert sorted(every) == sorted(["reference", *first, *second])
    rounds = partitions_of(Partitioning.SECOND_ROUND, SETTINGS)
    assert {key.split("@")[0] for key in second} == set(rounds)


def test_kinds_that_nothing_joins_are_a_mistake_of_the_graph() -> None:
    with pytest.raises(ValueError, match="no shard comes from a base_model"):
        upstream_partitions(Partitioning.BASE_MODEL, Partitioning.SHARD, "lab-000", SETTINGS)


@pytest.mark.parametrize("partitioning", list(Partitioning))
def test_keys_of_partitions_are_plain_texts(partitioning) -> None:
    # Dagster cannot serialize a member of a StrEnum.
    assert {type(key) for key in partitions_of(partitioning, SETTINGS)} <= {str}
