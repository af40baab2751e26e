"""A deployment on a real Docker engine: the chain, a killed run, a cancelled one, a restart."""

import docker_graphql as graphql
import pytest
from docker_stack import SETTINGS, Stack, until

from iterpref_assets.defs.partitions import partition_key
from iterpref_assets.phases import phases
from iterpref_assets.settings import load_settings

# What the images, the services and the chain wait for has limits of its own.
pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800, func_only=True)]

SECONDS_TO_NOTICE = 120


@pytest.fixture(scope="module")
def chain(stack: Stack) -> dict[tuple[str, ...], str]:
    """The run of every phase of the chain on a tiny slice."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        wanted = list(phases(load_settings()))
    done = {}
    for phase in wanted:
        keys = [] if phase.partitions == ("all",) else list(map(partition_key, phase.partitions))
        done[(*phase.assets, *keys)] = stack.materialize(phase.assets, keys)
    return done


def test_the_chain_ends_in_a_report(stack: Stack, chain) -> None:
    recorded = graphql.materializations(stack.deployment)
    assert recorded["experiment_reports"]
    report = stack.compose(
        "exec", "-T", "code", "sh", "-c", "cat /data/artifacts/experiment_reports/lab/*/report.md"
    )
    assert "pass@1" in report


def test_no_container_of_ours_runs_as_root(stack: Stack, chain) -> None:
    for service in ("webserver", "daemon", "code"):
        assert stack.compose("exec", "-T", service, "id", "-u").strip() == "1000"


def test_runs_leave_no_worker_behind(stack: Stack, chain) -> None:
    for run_id in chain.values():
        assert stack.workers(run_id) == []
    assert stack.meeting_places() == []


def test_a_worker_is_isolated(stack: Stack, chain) -> None:
    run_id = stack.launch(["initial_samples"], ["lab-000"])
    attributes = stack.working(run_id).attrs
    host = attributes["HostConfig"]
    assert attributes["Config"]["User"] == "1000"
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["Privileged"] is False
    assert stack.ended(run_id) == "SUCCESS"


def test_a_killed_run_fails_and_succeeds_when_it_is_retried(stack: Stack, chain) -> None:
    run_id = stack.launch(["initial_samples"], ["lab-001"])
    stack.working(run_id)
    stack.run_container(run_id).kill()
    until("its worker to end", lambda: not stack.workers(run_id), SECONDS_TO_NOTICE)
    assert stack.ended(run_id) == "FAILURE"
    assert any("Container status is exited" in line for line in _said(stack, run_id))
    retry = until("a retry", lambda: _retry_of(stack, run_id), SECONDS_TO_NOTICE)
    assert stack.ended(str(retry)) == "SUCCESS"
    until("the slot", lambda: graphql.active_slots(stack.deployment, "gpu") == 0, SECONDS_TO_NOTICE)


def test_a_worker_that_dies_fails_its_run_with_its_last_lines(stack: Stack, chain) -> None:
    run_id = stack.launch(["initial_samples"], ["lab-000"])
    stack.working(run_id).kill()
    assert stack.ended(run_id) == "FAILURE"
    said = _said(stack, run_id)
    assert any("The worker's last lines" in line for line in said)
    assert any("non-zero status code" in line for line in said)
    assert _retry_of(stack, run_id) is None


def test_a_cancelled_run_ends_its_worker_and_frees_its_slot(stack: Stack, chain) -> None:
    run_id = stack.launch(["initial_samples"], ["lab-001"])
    stack.working(run_id)
    assert graphql.active_slots(stack.deployment, "gpu") == 1
    assert graphql.cancel(stack.deployment, run_id) == "TerminateRunSuccess"
    assert stack.ended(run_id) == "CANCELED"
    until("its worker to end", lambda: not stack.workers(run_id), SECONDS_TO_NOTICE)
    until("the slot", lambda: graphql.active_slots(stack.deployment, "gpu") == 0, SECONDS_TO_NOTICE)


def test_a_restart_keeps_history_and_artifacts(stack: Stack, chain) -> None:
    runs, recorded = graphql.runs(stack.deployment), graphql.materializations(stack.deployment)
    artifacts = stack.artifacts()
    stack.compose("down")
    stack.up()
    assert graphql.runs(stack.deployment) == runs
    assert graphql.materializations(stack.deployment) == recorded
    assert stack.artifacts() == artifacts
    stack.materialize(["heldout_problems"], [])


def test_pruning_removes_what_ended_runs_left(stack: Stack, chain) -> None:
    config = {"ops": {"remove_ended_containers": {"config": {"hours": 0}}}}
    run_id = graphql.launch_job(stack.deployment, "prune_containers", {}, config)
    assert stack.ended(run_id) == "SUCCESS"
    left = {c.labels["dagster/run_id"] for c in stack.run_containers()}
    assert left <= {run_id}
    assert stack.meeting_places() == []


def _said(stack: Stack, run_id: str) -> list[str]:
    return graphql.messages(stack.deployment, run_id)


def _retry_of(stack: Stack, run_id: str) -> str | None:
    found = graphql.runs(stack.deployment).values()
    return next((run["runId"] for run in found if run["parentRunId"] == run_id), None)
