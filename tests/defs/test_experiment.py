"""The experiment's assets, where the settings ask for them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import dagster, definitions
graph = definitions.defs().resolve_asset_graph()
for name in ("experiment_pairs", "experiment_models", "experiment_scores"):
    asset = graph.get(dagster.AssetKey(name))
    parents = ",".join(sorted(key.to_user_string() for key in asset.parent_keys))
    keys = asset.partitions_def.get_partition_keys()
    print(name, parents, keys[0], len(keys))
"""


@pytest.fixture(scope="module")
def assets() -> dict[str, list[str]]:
    """Parents, first partition and their number by asset, with two rates and three seeds."""
    variables = {"ITERPREF_EXPERIMENT": '{"rates": [1e-5, 3e-5], "seeds": 3}'}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}


def test_models_come_from_pairs_that_come_from_trajectories(assets):
    assert "debug_trajectories" in assets["experiment_pairs"][0].split(",")
    assert "experiment_pairs" in assets["experiment_models"][0].split(",")
    assert "experiment_models" in assets["experiment_scores"][0].split(",")


def test_every_cell_of_the_grid_is_a_partition(assets):
    from iterpref_assets.core.experiment.arms import ARMS

    _, first, count = assets["experiment_models"]
    assert (first, int(count)) == ("reference", 1 + 2 * 3 * len(ARMS))


def test_every_pair_set_is_a_partition(assets):
    from iterpref_assets.core.experiment.arms import PairSet

    assert int(assets["experiment_pairs"][2]) == len(PairSet)
