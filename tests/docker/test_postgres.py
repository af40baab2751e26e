"""PostgreSQL is restarted, killed, or away while a run of a deployment is at work."""

from collections.abc import Callable, Mapping

import docker_graphql as graphql
import pytest
from docker_stack import Stack, until

# What the images, the services and the chain wait for has limits of its own.
pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800, func_only=True)]

ASSET = "initial_samples"
SHARDS = ("lab-000", "lab-001")
SECONDS_TO_NOTICE = 180


@pytest.fixture(scope="module")
def problems(stack: Stack) -> None:
    """What the runs that are disturbed start from; other tests of the stack may have made it."""
    if graphql.materializations(stack.deployment).get("seed_problems"):
        return
    stack.materialize(["heldout_problems", "lab_base_model"], [])
    stack.materialize(["raw_seeds", "seed_problems"], SHARDS)


def restart(stack: Stack, _run_id: str) -> None:
    stack.compose("restart", "postgres")


def kill(stack: Stack, _run_id: str) -> None:
    stack.compose("kill", "-s", "KILL", "postgres")
    stack.compose("start", "postgres")


def kill_until_the_worker_has_ended(stack: Stack, run_id: str) -> None:
    """What the worker says last, its run cannot record."""
    stack.compose("kill", "-s", "KILL", "postgres")
    until("its worker to end", lambda: not stack.workers(run_id), SECONDS_TO_NOTICE)
    stack.compose("start", "postgres")


def ended_at_last(stack: Stack, run_id: str) -> Mapping[str, str]:
    """The run, or its last retry, once it has ended."""
    while True:
        stack.ended(run_id)
        found = graphql.runs(stack.deployment)
        after = [run for run in found.values() if run["parentRunId"] == run_id]
        if found[run_id]["status"] != "FAILURE" or not after:
            return found[run_id]
        run_id = after[0]["runId"]


@pytest.mark.parametrize("outage", [restart, kill_until_the_worker_has_ended, kill])
def test_a_run_at_work_ends_rightly_where_postgresql_goes(
    stack: Stack, problems: None, outage: Callable[[Stack, str], None]
) -> None:
    run_id = stack.launch([ASSET], SHARDS)
    stack.working(run_id)
    outage(stack, run_id)
    stack.await_services()
    last = ended_at_last(stack, run_id)
    assert last["status"] == "SUCCESS", graphql.messages(stack.deployment, last["runId"])[-5:]
    assert stack.workers(run_id) == []
    until("the slot", lambda: graphql.active_slots(stack.deployment, "gpu") == 0, SECONDS_TO_NOTICE)
    recorded = graphql.materializations(stack.deployment)[ASSET]
    assert {shard for by, shard in recorded if by == last["runId"]} == set(SHARDS)
