"""A tiny grid on the lab's own model, made by one process and by two."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

SETTINGS = """
root = "{root}"
seeds.lab = {{ shards = 1, problems_per_shard = 16, heldout_problems = 6 }}
engine = {{ kind = "transformers", dtype = "float32" }}
evaluation_engine = {{ kind = "transformers", dtype = "float32" }}
debugging.max_rounds = 1
evaluation.max_tokens = 64
experiment = {{ rates = [1e-4], validation_problems = 3 }}
"""
MADE_OF_PAIRS = ("models", "validation", "scores", "stronger")


def make(root: Path, at_once: int) -> None:
    """The models and scores of two arms with one seed."""
    settings = root.with_suffix(".toml")
    settings.write_text(SETTINGS.format(root=root))
    subprocess.run(
        [
            sys.executable, "-m", "iterpref_assets", "experiment", "run", "sft", "dpo",
            "--seeds", "1", "--at-once", str(at_once), "--settings", str(settings),
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True,
    )  # fmt: skip


def contents(root: Path) -> dict[ArtifactKey, str]:
    """The content hash of every model and score."""
    store = ArtifactStore(root)
    assets = [f"experiment_{name}" for name in MADE_OF_PAIRS]
    keys = [ArtifactKey(asset, name) for asset in assets for name in store.partitions(asset)]
    return {key: store.current(key).manifest.content_hash for key in keys}


def test_two_processes_make_the_models_and_scores_that_one_makes(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    make(one, 1)
    shutil.copytree(one, two)
    for name in MADE_OF_PAIRS:
        shutil.rmtree(two / "artifacts" / f"experiment_{name}")
    make(two, 2)
    # two models, the reference beside them in each of the three others
    assert len(contents(one)) == 2 + 3 * 3
    assert contents(two) == contents(one)
