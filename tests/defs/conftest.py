"""A deployment of its own for each test: settings, artifacts and a Dagster instance."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from private_dagster import no_storage

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.records import Problem
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE

PROBLEM = {
    "problem_id": "p1",
    "source": "mine",
    "prompt": "Add one to x.",
    "entry_point": "f",
    "reference": "def f(x):\n    return x + 1",
    "tests": {
        "kind": "function",
        "entry_point": "f",
        "cases": [{"arguments": "(1,)", "expected": "2"}],
    },
}


@pytest.fixture(autouse=True, scope="module")
def no_storage_of_an_earlier_instance() -> Iterator[None]:
    with no_storage():
        yield


@pytest.fixture
def instance() -> dg.DagsterInstance:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of seed files that the settings point to, with one good shard."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    (folder / "a.jsonl").write_text(json.dumps(PROBLEM) + "\n")
    heldout = tmp_path / "heldout.jsonl"
    other = {
        **PROBLEM, "problem_id": "h1", "split": "heldout", "prompt": "Take one from x.",
        "reference": "def f(x):\n    return x - 1",
    }  # fmt: skip
    heldout.write_text(json.dumps(other) + "\n")
    source = {"kind": "files", "folder": str(folder), "heldout": str(heldout)}
    monkeypatch.setenv("ITERPREF_SEEDS", json.dumps(source))
    monkeypatch.setenv("ITERPREF_ROOT", str(tmp_path / "data"))
    return folder


@pytest.fixture
def store(tmp_path: Path, seeds: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "data")


def publish_problems(store: ArtifactStore, key: ArtifactKey, *problems: dict) -> None:
    frame = problems_to_frame(Problem.model_validate(problem) for problem in problems)
    with store.publishing(Plan(key, "1")) as staging:
        tables.write_table(frame, tables.PROBLEMS, staging.folder / PROBLEMS_FILE)
