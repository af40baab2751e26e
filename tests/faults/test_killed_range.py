"""A range of five recipes, launched as Dagster does and killed three times, trains each once."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest
from faults import processes
from faults.copied import copied
from faults.verdict import Seen, seen_of
from places import ROOT

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.training.workdir import last_checkpoint

RECIPES = ("sft", "sft_incorrect", "dpo", "rpo", "focal_dpo")
MODEL = "twin"
"""The base model of the undisturbed chain that nothing is trained of."""
VICTIMS = ("worker", "run", "worker")
"""What is killed while the second recipe is trained, the third and the fourth."""
EPOCHS = "10"
"""So many that a kill meets training, not its end."""
WAIT_SECONDS = 600

pytestmark = [pytest.mark.faults, pytest.mark.sandbox]


class Deployment:
    """A copy of the undisturbed deployment, and launches of the range on it."""

    def __init__(self, chain: Path, root: Path) -> None:
        self.root, self.store = root, ArtifactStore(root)
        self.home = root / "dagster"
        self.environment = {**os.environ, **copied(chain, root, TRAINING__EPOCHS=EPOCHS)}

    def said(self) -> str:
        return (self.root / "log.txt").read_text()[-3000:]

    def train(self) -> subprocess.Popen[bytes]:
        keys = f"{MODEL}|{RECIPES[0]}...{MODEL}|{RECIPES[-1]}"
        dg_script = Path(sys.executable).with_name("dg")
        with (self.root / "log.txt").open("ab") as log:
            return subprocess.Popen(
                [str(dg_script), "launch", "--assets", "checkpoints", "--partition-range", keys],
                cwd=ROOT, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip

    def trained(self) -> Seen:
        """The whole checkpoints of the range, as they were published."""
        return {
            name.rpartition("/")[2]: seen
            for name, seen in seen_of(self.store).items()
            if name.startswith(f"checkpoints/{MODEL}/")
        }

    def is_under_way(self, recipe: str) -> bool:
        """Whether a training has saved a state that it can go on from."""
        work = self.root / "work" / "checkpoints" / MODEL / recipe
        return any(last_checkpoint(run) is not None for run in work.glob("*"))

    def said_by_workers(self, pattern: str) -> list[str | tuple[str, ...]]:
        """Where a line of the workers of all launches matches; the run repeats each with its own
        prefix."""
        logs = self.home.glob("storage/*/compute_logs/*.err")
        line = re.compile(rf"^[\d:]{{8}} +{pattern}", re.MULTILINE)
        return [found for log in logs for found in line.findall(log.read_text())]

    def known_to_dagster(self) -> dict[str, set[str]]:
        """Every version of each recipe that a materialization tells."""
        known: dict[str, set[str]] = {}
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            for recipe in RECIPES:
                keys = [f"{MODEL}|{recipe}"]
                records = instance.fetch_materializations(
                    dg.AssetRecordsFilter(dg.AssetKey("checkpoints"), asset_partitions=keys),
                    limit=100,
                ).records
                events = [record.asset_materialization for record in records]
                known[recipe] = {event.tags["dagster/data_version"] for event in events}
        return known


def kill_in_the_midst(deployment: Deployment, recipe: str, victim: str) -> None:
    """Launch the range, and kill the run or its worker while the recipe is trained."""
    run = deployment.train()
    deadline = time.monotonic() + WAIT_SECONDS
    while not deployment.is_under_way(recipe):
        assert run.poll() is None, deployment.said()
        assert time.monotonic() < deadline, deployment.said()
        time.sleep(processes.POLL_SECONDS)
    worker = processes.worker_of(run.pid, WAIT_SECONDS)
    os.kill(run.pid if victim == "run" else worker, signal.SIGKILL)
    assert run.wait() != 0
    while processes.is_alive(worker):  # it ends by itself where its run was killed
        assert time.monotonic() < deadline
        time.sleep(processes.POLL_SECONDS)


@pytest.fixture(scope="module")
def killed(chain: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, list[Seen]]:
    """The deployment at last, and which recipes were trained after each kill."""
    deployment = Deployment(chain, tmp_path_factory.mktemp("range") / "data")
    seen: list[Seen] = []
    for recipe, victim in zip(RECIPES[1:], VICTIMS, strict=False):
        kill_in_the_midst(deployment, recipe, victim)
        seen.append(deployment.trained())
    assert deployment.train().wait(WAIT_SECONDS) == 0, deployment.said()
    return deployment, seen


def test_each_kill_met_the_training_of_the_next_recipe(killed) -> None:
    _, seen = killed
    assert [set(each) for each in seen] == [set(RECIPES[:count]) for count in (1, 2, 3)]


def test_each_recipe_is_published_once(killed) -> None:
    deployment, seen = killed
    at_last = deployment.trained()
    assert set(at_last) == set(RECIPES)
    assert [each for each in seen if not each.items() <= at_last.items()] == []


def test_each_recipe_is_trained_to_its_end_once(killed) -> None:
    deployment, _ = killed
    ends = deployment.said_by_workers(rf"train (\w+) {MODEL}/\w+: ([\d,]+)/\2 in ")
    assert Counter(recipe for recipe, _ in ends) == dict.fromkeys(RECIPES, 1)


def test_a_recipe_in_work_at_a_kill_goes_on_from_its_own_log(killed) -> None:
    deployment, _ = killed
    assert len(deployment.said_by_workers(r"resuming from checkpoint-\d+")) == len(VICTIMS)


def test_dagster_knows_one_version_of_each_recipe(killed) -> None:
    deployment, _ = killed
    known = deployment.known_to_dagster()
    # Dagster's own event at the end of a range has one version for all.
    of_the_range = set.intersection(*known.values())
    current = {
        recipe: deployment.store.current(ArtifactKey("checkpoints", f"{MODEL}/{recipe}"))
        for recipe in RECIPES
    }
    assert {recipe: versions - of_the_range for recipe, versions in known.items()} == {
        recipe: {artifact.manifest.content_hash} for recipe, artifact in current.items()
    }
