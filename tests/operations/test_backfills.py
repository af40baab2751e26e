"""What went wrong in a backfill is told by its failed steps' own words."""

import json

import graphql
import httpx
import pytest
from dagster_graphql.schema import create_schema

from iterpref_assets.operations import backfills
from iterpref_assets.operations.graphql import Deployment

QUERIES = ["_LAUNCH", "_STATUS", "_FAILED_RUNS", "_RUN_EVENTS", "_DAEMONS"]


def failed_with(*events: dict) -> Deployment:
    """A deployment with one failed run, whose log holds these events."""
    run = {"runId": "r1", "status": "FAILURE", "tags": [{"key": "dagster/partition", "value": "a"}]}

    def answer(request: httpx.Request) -> httpx.Response:
        events_asked = "logsForRun" in json.loads(request.content)["query"]
        data = {"logsForRun": {"events": events}} if events_asked else {
            "runsOrError": {"results": [run]}
        }  # fmt: skip
        return httpx.Response(200, json={"data": data})

    return Deployment("http://dagster", transport=httpx.MockTransport(answer))


def step_failure(description: str | None, *messages: str) -> dict:
    """A step that failed with exceptions that were raised from one another, outermost first."""
    outermost, *causes = [{"message": message} for message in messages]
    return {
        "__typename": "ExecutionStepFailureEvent",
        "stepKey": "raw_seeds",
        "error": {**outermost, "causes": causes},
        "failureMetadata": {"description": description},
    }


def reason(deployment: Deployment) -> str:
    (run,) = backfills.failed_runs(deployment, "b1")
    return run.reason


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_root_of_a_chain_of_exceptions_is_told(depth: int) -> None:
    messages = [f"error {number}\n" for number in range(depth)]
    assert reason(failed_with(step_failure(None, *messages))) == f"raw_seeds: error {depth - 1}"


def test_a_description_is_told_in_place_of_the_exceptions() -> None:
    assert reason(failed_with(step_failure("no such file", "outer", "inner"))) == (
        "raw_seeds: no such file"
    )


@pytest.fixture(scope="module")
def schema() -> graphql.GraphQLSchema:
    return create_schema().graphql_schema


@pytest.mark.parametrize("name", QUERIES)
def test_what_is_asked_is_what_this_dagster_understands(schema, name: str) -> None:
    assert graphql.validate(schema, graphql.parse(getattr(backfills, name))) == []
