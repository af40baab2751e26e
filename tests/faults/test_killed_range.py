"""A range of five recipes, launched as Dagster does and killed three times, trains each once."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import processes
from faults.plan import GENERATING, TINY
from places import ROOT

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore

RECIPES = ("sft", "sft_incorrect", "dpo", "rpo", "focal_dpo")
PARENTS = (
    ("heldout_problems",),
    ("lab_base_model",),
    ("base_models", "lab"),
    ("raw_seeds,seed_problems,initial_samples,debug_trajectories,codeflow_pairs", "lab-000"),
    ("preference_pairs,reference_logprobs", "lab"),
)
"""What a launch each makes before training, with its partition."""
SEEDS = {**json.loads(TINY["SEEDS"])["lab"], "shards": 1, "problems_per_shard": 8}
WAIT_SECONDS = 600

pytestmark = [pytest.mark.faults, pytest.mark.sandbox]


class Deployment:
    """A folder of artifacts with Dagster's home, and commands on it."""

    def __init__(self, root: Path) -> None:
        self.root, self.store = root, ArtifactStore(root)
        settings = {
            **TINY,
            **GENERATING,
            "SEEDS": json.dumps({"kind": "lab", "lab": SEEDS}),
        }
        self.environment = {
            **os.environ, **{f"ITERPREF_{name}": value for name, value in settings.items()},
            "ITERPREF_ROOT": str(root), "DAGSTER_HOME": str(root / "dagster"),
        }  # fmt: skip

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        script = Path(sys.executable).with_name(command[0])
        log = (self.root / "log.txt").open("ab")
        return subprocess.Popen(
            [str(script), *command[1:]], cwd=ROOT, env=self.environment, stdout=log, stderr=log
        )

    def run(self, *command: str) -> None:
        process = self.start(*command)
        assert process.wait() == 0, (self.root / "log.txt").read_text()[-3000:]

    def train(self) -> subprocess.Popen[bytes]:
        keys = f"lab|{RECIPES[0]}...lab|{RECIPES[-1]}"
        return self.start("dg", "launch", "--assets", "checkpoints", "--partition-range", keys)

    def trained(self) -> dict[str, tuple[str, int] | None]:
        """What changes whenever a recipe's checkpoint is published, of those that are."""
        stamps = {
            name: self.store.stamp(ArtifactKey("checkpoints", f"lab/{name}")) for name in RECIPES
        }
        return {name: stamp for name, stamp in stamps.items() if stamp}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """All that checkpoints are made of."""
    made = Deployment(tmp_path_factory.mktemp("range") / "data")
    made.root.mkdir()
    made.run("iterpref", "prepare")
    for assets, *partition in PARENTS:
        chosen = ("--partition", *partition) if partition else ()
        made.run("dg", "launch", "--assets", assets, *chosen)
    return made


def kill_once_trained(deployment: Deployment, count: int, victim: str) -> None:
    """Kill the run, or its worker, soon after so many recipes are trained."""
    run = deployment.train()
    deadline = time.monotonic() + WAIT_SECONDS
    while len(deployment.trained()) < count and time.monotonic() < deadline:
        assert run.poll() is None, (deployment.root / "log.txt").read_text()[-3000:]
        time.sleep(0.05)
    worker = processes.worker_of(run.pid, WAIT_SECONDS)
    os.kill(run.pid if victim == "run" else worker, signal.SIGKILL)
    assert run.wait() != 0


def test_each_recipe_is_trained_once(deployment: Deployment) -> None:
    seen: list[dict] = []
    for count, victim in ((1, "worker"), (2, "run"), (3, "worker")):
        kill_once_trained(deployment, count, victim)
        seen.append(deployment.trained())
        deployment.run("iterpref", "prepare")
    assert deployment.train().wait(WAIT_SECONDS) == 0
    at_last = deployment.trained()
    assert at_last.keys() == set(RECIPES)
    stamps = {
        name: {found[name] for found in (*seen, at_last) if name in found} for name in RECIPES
    }
    assert Counter(len(each) for each in stamps.values()) == {1: len(RECIPES)}
