"""A tiny grid with second rounds on the lab's own model, by one process and by two."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.experiment.results import Results, read_results

pytestmark = [pytest.mark.slow, pytest.mark.timeout(560)]

SETTINGS = """
root = "{root}"
seeds.lab = {{ shards = 2, problems_per_shard = 12, heldout_problems = 6 }}
engine = {{ kind = "transformers", dtype = "float32" }}
evaluation_engine = {{ kind = "transformers", dtype = "float32" }}
debugging.max_rounds = 1
evaluation.max_tokens = 64
experiment = {{ rates = [1e-4], validation_problems = 3 }}
"""
ARMS = ("focal_dpo-second", "focal_rpo-second")
SECOND = ("second_trajectories", "second_pairs", "second_models")
MADE_OF_PAIRS = ("models", *SECOND, "validation", "scores", "stronger")


def iterpref(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    settings = root.with_suffix(".toml")
    settings.write_text(SETTINGS.format(root=root))
    return subprocess.run(
        [sys.executable, "-m", "iterpref_assets", "experiment", *arguments,
         "--settings", str(settings)],
        env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
        check=True, capture_output=True, text=True,
    )  # fmt: skip


def make(root: Path, at_once: int) -> str:
    """Make both second rounds with one seed; what was logged."""
    done = iterpref(root, "run", *ARMS, "--seeds", "1", "--at-once", str(at_once))
    return done.stderr


def contents(root: Path) -> dict[str, str]:
    """The content hash of every model and score, and of whatever is of a second round."""
    store = ArtifactStore(root)
    assets = [f"experiment_{name}" for name in MADE_OF_PAIRS]
    keys = [ArtifactKey(asset, name) for asset in assets for name in store.partitions(asset)]
    return {str(key): store.current(key).manifest.content_hash for key in keys}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("second") / "one"
    make(root, 1)
    return root


@pytest.fixture(scope="module")
def exported(root: Path) -> Results:
    folder = root.parent / "lab"
    iterpref(root, "export", "--out", str(folder))
    return read_results(folder)


def test_all_that_is_of_a_second_round_names_the_first_rounds_model(root):
    store = ArtifactStore(root)
    for first in ("focal_dpo@0.0001@0", "focal_rpo@0.0001@0"):
        model = ArtifactKey("experiment_models", first)
        arm, *_ = first.split("@")
        for name in SECOND:
            partition = f"{arm}-second" + ("@0.0001@0" if name == "second_models" else "")
            made = store.current(ArtifactKey(f"experiment_{name}", partition)).manifest
            assert made.upstream[str(model)] == store.current(model).manifest.content_hash


def test_two_processes_make_the_models_and_scores_that_one_makes(root, tmp_path):
    before = contents(root)
    # two of the first rounds' models and of each of the second rounds' own; the reference and two
    # first rounds are validated
    assert len(before) == 2 + 2 * 3 + 5 + 2 * 3
    again = tmp_path / "two"
    shutil.copytree(root, again)
    for name in MADE_OF_PAIRS:
        shutil.rmtree(again / "artifacts" / f"experiment_{name}")
    make(again, 2)
    assert contents(again) == before


def test_a_second_run_makes_nothing(root):
    before = {path: path.stat().st_mtime_ns for path in root.rglob("current")}
    make(root, 1)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("current")} == before


def test_a_second_round_is_exported_with_its_own_pairs(root, exported):
    row = exported.cells.filter(arm="focal_rpo-second").row(0, named=True)
    kept = ArtifactStore(root).current(ArtifactKey("experiment_second_pairs", "focal_rpo-second"))
    assert (row["recipe"], row["pairs"]) == ("focal_rpo", "focal_rpo-second")
    assert row["pair_count"] == kept.manifest.row_count
    config = json.loads(row["config"])
    assert config["training"]["learning_rate"] == 1e-4
    assert config["first_model"]["key"] == "experiment_models/focal_rpo@0.0001@0"
    assert set(exported.kinds["pairs"]) == {"random", *ARMS}


def test_first_rounds_that_were_not_scored_are_exported_as_tried(exported):
    assert exported.arms == ["reference", *ARMS]
    assert exported.rates_tried("focal_rpo").keys() == {1e-4}


def test_another_folder_goes_on_from_what_was_exported(root, tmp_path):
    grid, record, there = ("run", "focal_dpo", "--seeds", "1"), tmp_path / "lab", tmp_path / "there"
    here = tmp_path / "here"
    shutil.copytree(root, here)
    iterpref(here, *grid)
    for which in ([], ["--programs"]):
        iterpref(here, "export", *which, "--out", str(record))
    recorded = {"ITERPREF_EXPERIMENT__RECORDED": str(record)}
    iterpref(there, *grid, **recorded)
    store = ArtifactStore(there)
    assert store.partitions("experiment_pairs") == ("random",)
    for asset in ("debug_trajectories", "experiment_models", "experiment_scores"):
        assert store.partitions(asset) == ()
    iterpref(there, "export", "--out", str(tmp_path / "joined" / "lab"), **recorded)
    joined, before = read_results(tmp_path / "joined" / "lab"), read_results(record)
    assert sorted(joined.scores.rows()) == sorted(before.scores.rows())
    assert joined.rates_tried("focal_dpo") == before.rates_tried("focal_dpo")
