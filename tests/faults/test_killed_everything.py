"""A deployment is killed at once, its services, its run and its worker; its next start makes up."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from faults.copied import copied
from faults.processes import POLL_SECONDS
from faults.verdict import Seen, Undisturbed, leftovers, seen_of
from live_deployment import LiveDeployment
from services import Services, processes_of, still_running

from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.core.training.workdir import last_checkpoint
from iterpref_assets.operations.backfills import BackfillProgress, FailedRun, failed_runs, follow
from iterpref_assets.operations.graphql import Deployment

MODEL = "twin"
"""The base model of the undisturbed chain that nothing is trained of."""
RECIPES = ("sft", "sft_incorrect")
RANGE = f"{MODEL}|{RECIPES[0]}...{MODEL}|{RECIPES[1]}"
EPOCHS = "10"
"""So many that the kill meets training, not its end."""
WAIT_SECONDS = 600

pytestmark = [pytest.mark.faults, pytest.mark.sandbox]


@dataclass(frozen=True)
class Killed:
    """A deployment that was killed while the second recipe was trained, and what came of it."""

    deployment: LiveDeployment
    undisturbed: Undisturbed
    victims: list[str]
    kept: Seen
    last: BackfillProgress
    failed: list[FailedRun]
    left: list[str]


def deployment_in(root: Path, chain: Path) -> LiveDeployment:
    return LiveDeployment(root, copied(chain, root, TRAINING__EPOCHS=EPOCHS))


def await_training(deployment: LiveDeployment, recipe: str) -> None:
    """Wait until a training has saved a state that it can go on from."""
    work = deployment.root / "work" / "checkpoints" / MODEL / recipe
    deadline = time.monotonic() + WAIT_SECONDS
    while not any(last_checkpoint(run) is not None for run in work.glob("*")):
        assert time.monotonic() < deadline
        time.sleep(POLL_SECONDS)


@pytest.fixture(scope="module")
def killed(chain: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    calm = deployment_in(tmp_path_factory.mktemp("calm") / "data", chain)
    calm.launch("checkpoints", RANGE)
    deployment = deployment_in(tmp_path_factory.mktemp("killed") / "data", chain)
    services = Services(deployment)
    try:
        with services.serving():
            asked = deployment.command("iterpref", "backfill", "checkpoints", "--range", RANGE)
            assert asked.returncode == 0, asked.stdout + asked.stderr
            await_training(deployment, RECIPES[1])
            victims = services.kill_everything()
            kept = seen_of(ArtifactStore(deployment.root))
            prepared = deployment.command("iterpref", "prepare")
            assert prepared.returncode == 0, prepared.stderr
            services.start_all()
            answering = Deployment(deployment.url)
            backfill = asked.stdout.split("backfill ")[1].partition(":")[0]
            *_, last = follow(answering, backfill)
            failed = failed_runs(answering, backfill)
        left = still_running(deployment)
        yield Killed(deployment, Undisturbed.of(calm.root), victims, kept, last, failed, left)
    finally:
        for pid in processes_of(deployment):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    "command",
    ["dagster-webserver", "dagster-daemon", "dagster api grpc", "iterpref_assets.workers"],
)
def test_the_kill_met_every_service_and_the_worker(killed: Killed, command: str) -> None:
    assert [victim for victim in killed.victims if command in victim] != []


def test_the_kill_met_the_training_of_the_second_recipe(killed: Killed) -> None:
    published = [name for name in killed.kept if name.startswith(f"checkpoints/{MODEL}/")]
    assert published == [f"checkpoints/{MODEL}/{RECIPES[0]}"]


def test_the_backfill_ends_after_the_next_start(killed: Killed) -> None:
    assert (killed.last.succeeded, killed.failed) == (True, [])


def test_the_artifacts_are_those_of_an_undisturbed_deployment(killed: Killed) -> None:
    assert Undisturbed.of(killed.deployment.root) == killed.undisturbed


def test_what_was_published_before_the_kill_is_not_made_again(killed: Killed) -> None:
    assert killed.kept.items() <= seen_of(ArtifactStore(killed.deployment.root)).items()


def test_nothing_half_written_is_left(killed: Killed) -> None:
    assert list(leftovers(killed.deployment.root)) == []


def test_no_process_is_left(killed: Killed) -> None:
    assert killed.left == []


def test_no_pool_slot_is_held(killed: Killed) -> None:
    home = str(killed.deployment.root / "dagster")
    with dg.DagsterInstance.from_config(home) as instance:
        storage = instance.event_log_storage
        pools = storage.get_concurrency_keys()
        assert {pool: storage.get_concurrency_info(pool).active_slot_count for pool in pools} == (
            {"gpu": 0, "sandbox": 0}
        )
