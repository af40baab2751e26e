"""Partitions are named, ranged over and told apart by what became of them."""

import json

import httpx
import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.operations.graphql import Deployment
from iterpref_assets.operations.partitions import (
    AssetPartitions,
    Dimension,
    PartitionChoice,
    partitions_of_asset,
)

MODELS = Dimension("base_model", ("big", "lab"))
RECIPES = Dimension("recipe", ("dpo", "focal", "sft"))
NOTHING = frozenset()


def cells(*dimensions: Dimension, **status: set[str]) -> AssetPartitions:
    kinds = {"materialized": NOTHING, "materializing": NOTHING, "failed": NOTHING}
    given = {kind: frozenset(keys) for kind, keys in status.items()}
    return AssetPartitions("checkpoints", dimensions, **(kinds | given))


def answering(node: dict) -> Deployment:
    """A deployment that gives this answer to every question about an asset."""

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": {"assetNodeOrError": node}})

    return Deployment("http://dagster", transport=httpx.MockTransport(answer))


def test_the_keys_of_two_dimensions_are_every_cell_in_order() -> None:
    assert cells(MODELS, RECIPES).keys == (
        "big|dpo", "big|focal", "big|sft", "lab|dpo", "lab|focal", "lab|sft",
    )  # fmt: skip


def test_a_range_of_two_dimensions_is_a_block() -> None:
    block = cells(MODELS, RECIPES).between("big|focal...lab|sft")
    assert block == ("big|focal", "big|sft", "lab|focal", "lab|sft")


def test_named_partitions_come_once_and_in_order() -> None:
    assert cells(RECIPES).named(["sft", "dpo", "sft"]) == ("dpo", "sft")


@pytest.mark.parametrize(
    ("stretch", "told"),
    [("sft...dpo", "Swap"), ("dpo", "FIRST...LAST"), ("dpo...kto", "'kto'"), ("...sft", "''")],
)
def test_a_bad_range_is_refused(stretch: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        cells(RECIPES).between(stretch)


def test_what_is_being_made_is_not_missing() -> None:
    asset = cells(RECIPES, materialized={"dpo"}, materializing={"sft"})
    assert asset.missing == {"focal"}


def test_what_failed_before_it_was_ever_made_is_missing() -> None:
    assert cells(RECIPES, materialized={"dpo", "sft"}, failed={"focal"}).missing == {"focal"}


def test_ranges_of_the_first_dimension_hold_lists_of_the_second() -> None:
    inner = {"materializedPartitions": ["dpo"], "materializingPartitions": []}
    statuses = {
        "primaryDimensionName": "base_model",
        "ranges": [
            {
                "primaryDimStartKey": "big", "primaryDimEndKey": "lab",
                "secondaryDim": {**inner, "failedPartitions": ["sft"]},
            }
        ],
    }  # fmt: skip
    node = {
        "__typename": "AssetNode", "isPartitioned": True,
        "partitionKeysByDimension": [
            {"name": d.name, "partitionKeys": list(d.keys)} for d in (MODELS, RECIPES)
        ],
        "assetPartitionStatuses": statuses,
    }  # fmt: skip
    found = partitions_of_asset(answering(node), "checkpoints")
    assert found.materialized == {"big|dpo", "lab|dpo"}
    assert found.failed == {"big|sft", "lab|sft"}


@pytest.mark.parametrize(
    "content", [b"<html>hello</html>", json.dumps([1]).encode(), json.dumps({"a": 1}).encode()]
)
def test_what_is_not_dagster_is_told_apart(content: bytes) -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, content=content))
    with pytest.raises(InputError, match="not a Dagster webserver"):
        Deployment("http://other", transport=transport).ask("{ version }")


def test_a_webserver_that_restarts_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    refusals = iter([httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])

    def answer(_request: httpx.Request) -> httpx.Response:
        for error in refusals:
            raise error
        return httpx.Response(200, json={"data": {"version": "1"}})

    deployment = Deployment("http://dagster", transport=httpx.MockTransport(answer))
    assert deployment.ask_again("{ version }") == {"version": "1"}


def test_a_webserver_whose_database_restarts_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    lost = {"errors": [{"message": "server closed the connection\n[SQL: ...]"}]}
    answers = iter([(500, lost), (200, {"data": {"version": "1"}})])

    def answer(_request: httpx.Request) -> httpx.Response:
        status, content = next(answers)
        return httpx.Response(status, json=content)

    deployment = Deployment("http://dagster", transport=httpx.MockTransport(answer))
    assert deployment.ask_again("{ version }") == {"version": "1"}


def test_a_webserver_that_fails_is_told_of_in_one_line() -> None:
    lost = {"errors": [{"message": "server closed the connection\n[SQL: ...]"}]}
    transport = httpx.MockTransport(lambda _request: httpx.Response(500, json=lost))
    with pytest.raises(InputError, match=r"could not answer: server closed the conn") as caught:
        Deployment("http://dagster", transport=transport).ask("{ version }")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "ways", [{}, {"every": True, "failed": True}, {"named": "a", "stretch": ""}]
)
def test_partitions_are_chosen_in_one_way(ways: dict) -> None:
    with pytest.raises(InputError, match="in one way"):
        PartitionChoice(**ways)


def test_what_failed_of_any_asset_is_chosen_in_order() -> None:
    found = [cells(RECIPES, failed={"sft"}), cells(RECIPES, failed={"dpo"})]
    assert PartitionChoice(failed=True).keys(found) == ("dpo", "sft")


def test_what_any_asset_lacks_is_chosen() -> None:
    found = [cells(RECIPES, materialized={"dpo", "sft"}), cells(RECIPES, materialized={"dpo"})]
    assert PartitionChoice(missing=True).keys(found) == ("focal", "sft")


def test_keys_between_commas_may_have_spaces() -> None:
    assert PartitionChoice(named="sft, dpo").keys([cells(RECIPES)]) == ("dpo", "sft")


def test_assets_with_other_partitions_are_not_named_together() -> None:
    found = [cells(RECIPES), cells(MODELS)]
    with pytest.raises(InputError, match="have different partitions"):
        PartitionChoice(missing=True).keys(found)


def test_all_is_said_to_the_deployment_and_not_key_by_key() -> None:
    assert PartitionChoice(every=True).keys([cells(RECIPES), cells(MODELS)]) is None


def test_all_of_an_asset_whose_shards_are_not_registered_is_refused() -> None:
    with pytest.raises(InputError, match="iterpref prepare"):
        PartitionChoice(every=True).keys([cells(Dimension("shard", ()))])


def test_an_asset_without_partitions_has_none_to_choose() -> None:
    with pytest.raises(InputError, match="Use --all"):
        PartitionChoice(missing=True).keys([cells()])
