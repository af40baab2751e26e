"""The three ways to backfill from a shell, on a deployment that runs."""

import time
from pathlib import Path

import dagster as dg
import pytest
from live_deployment import LiveDeployment
from seed_files import problem

pytestmark = pytest.mark.slow

SEEDS = dg.AssetKey("raw_seeds")
TORN = "torn"


def backfill(deployment: LiveDeployment, *arguments: str):
    return deployment.command("iterpref", "backfill", *arguments)


def runs_of(instance: dg.DagsterInstance, output: str) -> list[dg.DagsterRun]:
    backfill_id = output.split("backfill ")[1].split(":", maxsplit=1)[0]
    return instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": backfill_id}))


def range_of(run: dg.DagsterRun) -> tuple[str, str]:
    tags = run.tags
    return (
        tags["dagster/asset_partition_range_start"], tags["dagster/asset_partition_range_end"],
    )  # fmt: skip


def made(instance: dg.DagsterInstance) -> set[str]:
    return set(instance.get_materialized_partitions(SEEDS))


def test_dg_launch_makes_one_partition_in_its_own_process(deployment, instance) -> None:
    done = deployment.command("dg", "launch", "--assets", "raw_seeds", "--partition", "s2")
    assert done.returncode == 0, done.stderr
    assert "s2" in made(instance)


def test_dg_launch_makes_a_range_in_its_own_process(deployment, instance) -> None:
    done = deployment.command(
        "dg", "launch", "--assets", "raw_seeds", "--partition-range", "s0...s1"
    )
    assert done.returncode == 0, done.stderr
    assert made(instance) >= {"s0", "s1"}


def test_dagster_job_backfill_makes_a_run_for_each_partition(deployment, instance) -> None:
    done = deployment.command(
        "dagster", "job", "backfill", "-j", "read_seeds", "--partitions", "s4,s5",
        "--noprompt", "-w", "workspace.yaml",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    wanted = dg.RunsFilter(job_name="read_seeds", statuses=[dg.DagsterRunStatus.SUCCESS])
    while len(runs := instance.get_runs(wanted)) < 2:
        time.sleep(0.5)
    assert {run.tags["dagster/partition"] for run in runs} == {"s4", "s5"}


def test_neighbouring_partitions_share_a_run(deployment, instance) -> None:
    done = backfill(deployment, "raw_seeds", "--partitions", "s0,s1,s3", "--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    assert made(instance) >= {"s0", "s1", "s3"}
    assert len(runs_of(instance, done.stdout)) == 2


def test_a_range_holds_both_its_ends(deployment, instance) -> None:
    done = backfill(deployment, "raw_seeds", "--range", "s3...s5", "--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = runs_of(instance, done.stdout)
    assert range_of(run) == ("s3", "s5")
    assert "raw_seeds: 3 of 3" in done.stdout


def test_a_failed_partition_is_told_and_made_good(deployment, instance, seeds: Path) -> None:
    (seeds / f"{TORN}.jsonl").write_text('{"problem_id": \n')
    instance.add_dynamic_partitions("problem_shards", [TORN])
    failed = backfill(deployment, "raw_seeds", "--partitions", TORN, "--wait")
    assert failed.returncode == 1
    assert f"{TORN}.jsonl:1" in failed.stdout
    (seeds / f"{TORN}.jsonl").write_text(problem(TORN))
    again = backfill(deployment, "raw_seeds", "--failed", "--wait")
    assert again.returncode == 0, again.stdout + again.stderr
    (run,) = runs_of(instance, again.stdout)
    assert range_of(run) == (TORN, TORN)


def test_missing_partitions_are_made_until_none_is_missing(deployment, instance) -> None:
    done = backfill(deployment, "raw_seeds", "--missing", "--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    assert made(instance) == set(instance.get_dynamic_partitions("problem_shards"))
    again = backfill(deployment, "raw_seeds", "--missing", "--wait")
    assert again.returncode == 0
    assert "nothing to do" in again.stdout


def test_all_partitions_of_two_assets_are_made_and_checked(deployment, instance) -> None:
    heldout = backfill(deployment, "heldout_problems", "--all", "--wait")
    assert heldout.returncode == 0, heldout.stdout + heldout.stderr
    done = backfill(deployment, "raw_seeds", "seed_problems", "--all", "--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    checked = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(dg.AssetKey("seed_problems"), "reference_solutions_pass"), limit=1
    )
    assert checked[0].status.value == "SUCCEEDED"


def test_a_two_dimensional_partition_that_fails_is_named_with_its_reason(deployment) -> None:
    done = backfill(deployment, "checkpoints", "--range", "lab|dpo...lab|dpo", "--wait")
    assert done.returncode == 1
    assert "lab|dpo: checkpoints:" in done.stdout
    assert "has not been materialized" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("raw_seed", "--all"), ["raw_seed", "raw_seeds"]),
        (("raw_seeds", "--partitions", "s9"), ["'s9'", "s0, s1"]),
        (("checkpoints", "--partitions", "lab"), ["'lab'", "lab|"]),
        (("raw_seeds", "checkpoints", "--missing"), ["different partitions"]),
        (("heldout_problems", "--missing"), ["no partitions", "--all"]),
        (("raw_seeds",), ["--partitions", "--all"]),
        (("raw_seeds", "--all", "--url", "http://127.0.0.1:9"), ["127.0.0.1:9", "make ui"]),
    ],
)
def test_bad_input_is_one_line(deployment, arguments: tuple[str, ...], told: list[str]) -> None:
    done = backfill(deployment, *arguments)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(text in done.stderr for text in told)
