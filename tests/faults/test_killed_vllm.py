"""A worker is killed while vLLM generates in it: the next launch goes on, and gives the same."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from faults import processes
from faults.copied import copied
from faults.verdict import leftovers
from places import ROOT

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.steps.generator import COMPLETIONS_FILE

ASSET = "initial_samples"
SHARDS = ("lab-000", "lab-001")
SAMPLES = 64
"""Of each of four problems: so many that the kill meets generating, not its end."""
ENGINE = {"kind": "vllm", "dtype": "float32", "kv_cache_gib": 0.25}
WAIT_SECONDS = 600

pytestmark = [pytest.mark.faults, pytest.mark.sandbox, pytest.mark.vllm]


class Deployment:
    """A copy of the undisturbed deployment whose generator runs in vLLM."""

    def __init__(self, chain: Path, root: Path) -> None:
        self.root, self.store = root, ArtifactStore(root)
        settings = {
            "ENGINE": json.dumps(ENGINE), "SAMPLING__SAMPLES_PER_PROBLEM": str(SAMPLES)
        }  # fmt: skip
        self.environment = {**os.environ, **copied(chain, root, **settings)}
        for shard in SHARDS:
            shutil.rmtree(root / "artifacts" / ASSET / shard)

    def launch(self) -> subprocess.Popen[bytes]:
        dg_script = Path(sys.executable).with_name("dg")
        keys = f"{SHARDS[0]}...{SHARDS[1]}"
        with (self.root / "log.txt").open("ab") as log:
            return subprocess.Popen(
                [str(dg_script), "launch", "--assets", ASSET, "--partition-range", keys],
                cwd=ROOT, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip

    def said(self) -> str:
        return (self.root / "log.txt").read_text()

    def completions(self, shard: str) -> list[dict[str, object]]:
        path = self.store.current(ArtifactKey(ASSET, shard)).path(COMPLETIONS_FILE)
        return tables.read_table(path, tables.COMPLETIONS).to_dicts()

    def logged(self, shard: str) -> int:
        """How many completions of an unfinished shard the worker has logged."""
        logs = (self.root / "work" / ASSET / shard).rglob("*.jsonl")
        return sum(log.read_bytes().count(b"\n") for log in logs)


@dataclass(frozen=True)
class Killed:
    deployment: Deployment
    calm: Deployment
    status: int
    logged: int
    published: list[str]
    left: list[int]


@pytest.fixture(scope="module")
def killed(chain: Path, tmp_path_factory: pytest.TempPathFactory) -> Killed:
    calm = Deployment(chain, tmp_path_factory.mktemp("calm") / "data")
    assert calm.launch().wait(WAIT_SECONDS) == 0, calm.said()[-3000:]
    deployment = Deployment(chain, tmp_path_factory.mktemp("killed") / "data")
    run = deployment.launch()
    worker = processes.worker_of(run.pid, WAIT_SECONDS)
    deadline = time.monotonic() + WAIT_SECONDS
    while deployment.logged(SHARDS[1]) < 2:  # the first line says what the log is of
        assert run.poll() is None, deployment.said()[-3000:]
        assert time.monotonic() < deadline, deployment.said()[-3000:]
        time.sleep(processes.POLL_SECONDS)
    started = list(processes.descendants(worker))
    processes.kill(worker)
    status = run.wait(WAIT_SECONDS)
    logged = deployment.logged(SHARDS[1])
    published = [key for key in SHARDS if deployment.store.find(ArtifactKey(ASSET, key))]
    assert deployment.launch().wait(WAIT_SECONDS) == 0, deployment.said()[-3000:]
    left = [pid for pid in started if processes.is_alive(pid)]
    return Killed(deployment, calm, status, logged, published, left)


def test_vllm_generated_in_the_worker(killed: Killed) -> None:
    engines = {row["engine"] for row in killed.deployment.completions(SHARDS[1])}
    assert [engine for engine in engines if not str(engine).startswith("vllm")] == []


def test_the_kill_met_the_second_shard(killed: Killed) -> None:
    assert killed.status != 0
    assert killed.published == [SHARDS[0]]
    assert killed.logged < SAMPLES * 4


def test_the_next_launch_gives_what_an_undisturbed_one_gives(killed: Killed) -> None:
    for shard in SHARDS:
        assert killed.deployment.completions(shard) == killed.calm.completions(shard)


def test_nothing_is_left(killed: Killed) -> None:
    assert killed.left == []
    assert list(leftovers(killed.deployment.root)) == []
