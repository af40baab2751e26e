"""Services of a deployment are killed during a backfill: after their next start it ends well."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faults.verdict import Seen, Undisturbed, leftovers, seen_of
from leases import held
from live_deployment import LiveDeployment
from seed_files import problem
from services import Services, processes_of, still_running

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.operations.backfills import failed_runs, follow
from iterpref_assets.operations.graphql import Deployment

SHARDS = ("s0", "s1", "s2")
ASSETS = ("raw_seeds", "seed_problems")
WAIT_SECONDS = 600

pytestmark = [pytest.mark.faults, pytest.mark.sandbox]


def deployment_in(root: Path) -> LiveDeployment:
    """A deployment of three shards whose held-out problems are made."""
    seeds, heldout = root / "seeds", root / "heldout.jsonl"
    seeds.mkdir(parents=True)
    for shard in SHARDS:
        (seeds / f"{shard}.jsonl").write_text(problem(shard))
    heldout.write_text(problem("h0", split="heldout", prompt="Take one from x."))
    source = {"kind": "files", "folder": str(seeds), "heldout": str(heldout)}
    made = LiveDeployment(root, {"ITERPREF_SEEDS": json.dumps(source)})
    for command in (("iterpref", "prepare"), ("dg", "launch", "--assets", "heldout_problems")):
        done = made.command(*command)
        assert done.returncode == 0, done.stderr[-3000:]
    return made


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """What the backfill makes, made by a launch of a shell."""
    deployment = deployment_in(tmp_path_factory.mktemp("undisturbed") / "data")
    deployment.launch(",".join(ASSETS), f"{SHARDS[0]}...{SHARDS[-1]}")
    return Undisturbed.of(deployment.root)


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[LiveDeployment]:
    made = deployment_in(tmp_path / "data")
    yield made
    for pid in processes_of(made):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def standing_still(deployment: LiveDeployment) -> Iterator[tuple[str, Seen]]:
    """A backfill that has read all seeds, and what it made; whoever uses a shard stands still."""
    done = deployment.command("iterpref", "backfill", *ASSETS, "--all")
    assert done.returncode == 0, done.stdout + done.stderr
    store, deadline = ArtifactStore(deployment.root), time.monotonic() + WAIT_SECONDS
    keys = [ArtifactKey("raw_seeds", shard) for shard in SHARDS]
    while not all(store.find(key) for key in keys):
        assert time.monotonic() < deadline, done.stdout
        time.sleep(0.1)
    kept = seen_of(store)  # before the lease, which would stop this process too
    with held(store.current(keys[1]).path("problems.parquet")) as is_asked_for:
        while not is_asked_for():
            assert time.monotonic() < deadline, done.stdout
            time.sleep(0.1)
        yield done.stdout.split("backfill ")[1].partition(":")[0], kept


def kill_daemon(services: Services) -> list[str]:
    """Kill the daemon with -9; what was killed."""
    services.kill("daemon")
    return ["daemon"]


def kill_code_server(services: Services) -> list[str]:
    """Kill the code server with -9, whose run goes on, until the daemon misses it; what was killed.

    The daemon looks for the backfill's assets, and finds none.
    """
    services.kill("code server")
    services.await_said("daemon", "existed at storage-time, but no longer does")
    return ["code server"]


def kill_code_server_and_run(services: Services) -> list[str]:
    """Kill all but webserver and daemon with -9; what was killed."""
    return services.kill_all_but("webserver", "daemon")


@pytest.mark.parametrize(
    ("kill", "count"),
    [(kill_daemon, 1), (kill_code_server, 1), (kill_code_server_and_run, 2)],
)
def test_a_backfill_ends_after_the_next_start(
    deployment: LiveDeployment,
    undisturbed: Undisturbed,
    kill: Callable[[Services], list[str]],
    count: int,
) -> None:
    """Two are killed where the run dies with its code server: nobody is left to say that it did."""
    services, store = Services(deployment), ArtifactStore(deployment.root)
    with services.serving():
        with standing_still(deployment) as (backfill, kept):
            assert len(kill(services)) >= count
            services.start_missing()
        services.await_all()
        asked = Deployment(deployment.url)
        *_, last = follow(asked, backfill)
        assert (last.succeeded, failed_runs(asked, backfill)) == (True, [])
    assert Undisturbed.of(deployment.root) == undisturbed
    assert kept.items() <= seen_of(store).items()
    assert list(leftovers(deployment.root)) == []
    assert still_running(deployment) == []
