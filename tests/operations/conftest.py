"""A deployment whose seeds are files of one problem, so that a shard costs nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from live_deployment import LiveDeployment
from seed_files import SHARDS, problem


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of seed files, a problem in each."""
    folder = tmp_path_factory.mktemp("seeds")
    for shard in SHARDS:
        (folder / f"{shard}.jsonl").write_text(problem(shard))
    return folder


@pytest.fixture(scope="module")
def prepared(seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> LiveDeployment:
    """A deployment that is not served yet, its shards registered."""
    heldout = tmp_path_factory.mktemp("heldout") / "heldout.jsonl"
    heldout.write_text(problem("h0", split="heldout", prompt="Take one from x."))
    source = {"kind": "files", "folder": str(seeds), "heldout": str(heldout)}
    root = tmp_path_factory.mktemp("deployment")
    found = LiveDeployment(root, {"ITERPREF_SEEDS": json.dumps(source)})
    done = found.command("iterpref", "prepare")
    assert done.returncode == 0, done.stderr
    return found


@pytest.fixture(scope="module")
def deployment(prepared: LiveDeployment) -> Iterator[LiveDeployment]:
    """The deployment, served: webserver, daemon and code server."""
    with prepared.serving():
        yield prepared


@pytest.fixture(scope="module")
def instance(deployment: LiveDeployment) -> Iterator[dg.DagsterInstance]:
    """Dagster's records of the deployment."""
    with dg.DagsterInstance.from_config(str(deployment.root / "dagster")) as opened:
        yield opened
