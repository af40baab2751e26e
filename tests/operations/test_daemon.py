"""What the daemon does by itself: runs that crash are retried, and what is switched on ticks."""

import os
import signal
import time
from pathlib import Path

import dagster as dg
import pytest
from live_deployment import LiveDeployment
from seed_files import problem

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SEEDS = dg.AssetKey("raw_seeds")
RETRY_SECONDS = 60


def test_a_run_whose_process_is_killed_is_failed_and_retried(
    deployment, instance, seeds: Path
) -> None:
    for shard in ("stuck", "stuck-again", "stuck-at-last"):
        killed = kill_a_run_of(shard, deployment, instance, seeds)
        if (retried := retry_of(killed, instance)) is not None:
            break
    assert instance.get_run_by_id(killed).status is dg.DagsterRunStatus.FAILURE
    assert retried is not None
    while not (run := instance.get_run_by_id(retried)).is_finished:
        time.sleep(0.5)
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert shard in instance.get_materialized_partitions(SEEDS)


def test_the_daemon_reads_a_new_seed_file_and_rebuilds_what_follows(
    deployment, instance, seeds: Path
) -> None:
    for command in (
        ("dg", "launch", "--assets", "heldout_problems"),
        ("iterpref", "backfill", "raw_seeds", "--missing", "--wait"),
    ):
        done = deployment.command(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    switch(deployment, "start", "rebuild_downstream")
    # What changed before its first tick is not news to it.
    while not ticks_of(deployment, "rebuild_downstream"):
        time.sleep(0.5)
    (seeds / "new.jsonl").write_text(problem("new"))
    switch(deployment, "start", "new_seeds")
    while "new" not in instance.get_materialized_partitions(dg.AssetKey("seed_problems")):
        time.sleep(1)
    for name in ("new_seeds", "rebuild_downstream"):
        switch(deployment, "stop", name)
    assert "new" in instance.get_materialized_partitions(SEEDS)


def switch(deployment: LiveDeployment, what: str, sensor: str) -> None:
    done = deployment.command("dagster", "sensor", what, sensor, "-w", "workspace.yaml")
    assert done.returncode == 0, done.stderr


def ticks_of(deployment: LiveDeployment, sensor: str) -> list[dict]:
    """The ticks that the daemon has finished."""
    query = """query Ticks($name: String!) {
      sensorOrError(sensorSelector: {
        repositoryName: "__repository__", repositoryLocationName: "iterpref", sensorName: $name
      }) { ... on Sensor { sensorState { ticks { status } } } }
    }"""
    found = deployment.ask(query, name=sensor)["sensorOrError"]["sensorState"]["ticks"]
    return [tick for tick in found if tick["status"] in {"SUCCESS", "SKIPPED"}]


def kill_a_run_of(
    shard: str, deployment: LiveDeployment, instance: dg.DagsterInstance, seeds: Path
) -> str:
    """Backfills the shard and kills its run while it waits for the seed file; the run's id."""
    pipe = seeds / f"{shard}.jsonl"
    os.mkfifo(pipe)
    instance.add_dynamic_partitions("problem_shards", [shard])
    launched = deployment.command("iterpref", "backfill", "raw_seeds", "--partitions", shard)
    assert launched.returncode == 0, launched.stderr
    while (found := executing(instance, shard)) is None:
        time.sleep(0.2)
    run_id, pid = found
    os.kill(pid, signal.SIGKILL)
    pipe.unlink()
    pipe.write_text(problem(shard))
    return run_id


def executing(instance: dg.DagsterInstance, shard: str) -> tuple[str, int] | None:
    """The shard's run and its process, once that executes the step."""
    filters = dg.RunsFilter(tags={"dagster/asset_partition_range_start": shard})
    for run in instance.get_runs(filters):
        started = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_START)
        events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        details = [entry.dagster_event.engine_event_data.metadata for entry in events]
        pids = [detail["pid"].value for detail in details if "pid" in detail]
        if started and pids:
            return run.run_id, int(pids[-1])
    return None


def retry_of(run_id: str, instance: dg.DagsterInstance) -> str | None:
    """The run that the daemon launched in its place, if it does within a dozen of its ticks.

    Dagster 1.13 stores a run's failure in three steps; a daemon that reads between the first and
    the last takes the run for one that is not to be retried, and never looks again.
    """
    while not instance.get_run_by_id(run_id).is_finished:
        time.sleep(0.5)
    deadline = time.monotonic() + RETRY_SECONDS
    while time.monotonic() < deadline:
        if retried := instance.get_run_by_id(run_id).tags.get("dagster/auto_retry_run_id"):
            return retried
        time.sleep(0.5)
    return None
