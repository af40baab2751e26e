"""Several sources are one: their shards in turn, their held-out problems together."""

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.seeds.mixed import MixedSeeds
from iterpref_assets.core.seeds.sources import SeedSource

COLUMNS = {"statement": "q", "tests": "t", "test_format": "asserts"}


def table(folder: Path, label: str, count: int = 40, **options: float) -> dict:
    path = folder / f"{label}.jsonl"
    rows = [{"q": f"Give {n}.", "t": [f"assert f() == {n}"]} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"kind": "table", "path": str(path), "label": label, "columns": COLUMNS, **options}


def test_the_shards_of_each_source_come_in_turn(tmp_path: Path) -> None:
    lab = {"kind": "lab", "lab": {"shards": 2, "problems_per_shard": 3, "heldout_problems": 2}}
    mixed = MixedSeeds.model_validate({"sources": [table(tmp_path, "a"), lab]})
    assert mixed.shards() == ("a-000", "lab-000", "lab-001")
    assert len(mixed.load_shard("lab-001").problems) == 3
    training = mixed.load_shard("a-000").problems
    heldout = mixed.load_heldout()
    assert len(heldout) == 40 - len(training) + 2
    assert len({each.source for each in heldout}) == 2


def test_a_shard_depends_on_its_own_source_alone(tmp_path: Path) -> None:
    mixed = MixedSeeds.model_validate({"sources": [table(tmp_path, "a"), table(tmp_path, "b")]})
    before = [mixed.shard_identity(shard) for shard in mixed.shards()], mixed.heldout_identity()
    table(tmp_path, "b", count=9)
    after = [mixed.shard_identity(shard) for shard in mixed.shards()], mixed.heldout_identity()
    assert before[0][0] == after[0][0]
    assert before[0][1] != after[0][1]
    assert before[1] != after[1]


def test_two_shards_of_one_name_are_refused(tmp_path: Path) -> None:
    mixed = MixedSeeds.model_validate({"sources": [table(tmp_path, "a"), table(tmp_path, "a")]})
    with pytest.raises(InputError, match="'a-000'"):
        mixed.shards()


def test_an_unknown_shard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no shard 'c-000'"):
        MixedSeeds.model_validate({"sources": [table(tmp_path, "a")]}).load_shard("c-000")


def test_an_unknown_kind_of_source_is_named() -> None:
    with pytest.raises(ValidationError, match="kind"):
        TypeAdapter(SeedSource).validate_python({"kind": "magic"})


def test_the_first_held_out_problems_are_of_all_sources(tmp_path: Path) -> None:
    sources = [table(tmp_path, label, heldout_share=0.9) for label in "ab"]
    heldout = MixedSeeds.model_validate({"sources": sources}).load_heldout()
    assert {each.source for each in heldout[:10]} == {each.source for each in heldout}


def test_held_out_problems_have_one_order_whichever_source_comes_first(tmp_path: Path) -> None:
    halves = [table(tmp_path, "a"), table(tmp_path, "b")]
    orders = [
        [each.problem_id for each in MixedSeeds.model_validate({"sources": sources}).load_heldout()]
        for sources in (halves, halves[::-1])
    ]
    assert orders[0] == orders[1]
