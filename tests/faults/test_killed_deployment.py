"""The daemon or the code server of a deployment is killed: the next backfill makes up for it."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.plan import TINY
from faults.processes import command_of
from faults.verdict import Undisturbed, leftovers, seen_of
from live_deployment import LiveDeployment

from iterpref_assets.core.artifacts import ArtifactStore

VICTIMS = {"daemon": "dagster._daemon", "code server": "api grpc"}
BACKFILL = ("iterpref", "backfill", "raw_seeds", "seed_problems", "--all")
END_SECONDS = 60

pytestmark = [pytest.mark.faults, pytest.mark.sandbox]


def deployment_in(root: Path) -> LiveDeployment:
    """A deployment whose held-out problems are made and whose shards are known."""
    root.mkdir()
    made = LiveDeployment(root, {f"ITERPREF_{name}": value for name, value in TINY.items()})
    for command in (("iterpref", "prepare"), ("dg", "launch", "--assets", "heldout_problems")):
        done = made.command(*command)
        assert done.returncode == 0, done.stderr[-3000:]
    return made


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """What the backfill makes, made by a launch of a shell."""
    deployment = deployment_in(tmp_path_factory.mktemp("undisturbed") / "data")
    shards = "lab-000...lab-002"
    done = deployment.command(
        "dg", "launch", "--assets", "raw_seeds,seed_problems", "--partition-range", shards
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return Undisturbed.of(deployment.root)


def processes_of(deployment: LiveDeployment) -> Iterator[int]:
    """Every process that was started with the deployment's home."""
    home = f"DAGSTER_HOME={deployment.root / 'dagster'}\0".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if home in (entry / "environ").read_bytes() and int(entry.name) != os.getpid():
                yield int(entry.name)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue


@pytest.mark.parametrize("victim", VICTIMS)
def test_the_backfill_after_a_kill_makes_what_is_missing(
    tmp_path: Path, undisturbed: Undisturbed, victim: str
) -> None:
    deployment = deployment_in(tmp_path / "data")
    with deployment.serving():
        assert deployment.command(*BACKFILL).returncode == 0
        time.sleep(random.Random(victim).uniform(0, 15))
        found = [pid for pid in processes_of(deployment) if VICTIMS[victim] in command_of(pid)]
        assert found, f"no {victim} runs"
        for pid in found:
            os.kill(pid, signal.SIGKILL)
    kept = seen_of(ArtifactStore(deployment.root))
    with deployment.serving():
        done = deployment.command(*BACKFILL, "--wait")
        assert done.returncode == 0, done.stdout + done.stderr
    store = ArtifactStore(deployment.root)
    assert Undisturbed.of(deployment.root) == undisturbed
    assert {name: seen for name, seen in seen_of(store).items() if name in kept} == kept
    assert list(leftovers(deployment.root)) == []
    deadline = time.monotonic() + END_SECONDS
    while (left := list(processes_of(deployment))) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert [command_of(pid) for pid in left] == []
