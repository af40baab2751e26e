"""The experiment's assets, where the settings ask for them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import private_dagster
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import dagster, definitions
graph = definitions.defs().resolve_asset_graph()
for name in (
    "experiment_pairs", "experiment_models", "experiment_second_trajectories",
    "experiment_second_pairs", "experiment_second_models", "experiment_scores",
):
    asset = graph.get(dagster.AssetKey(name))
    parents = ",".join(sorted(key.to_user_string() for key in asset.parent_keys))
    keys = asset.partitions_def.get_partition_keys()
    print(name, parents, keys[0], len(keys))
"""
SERIALIZED = """
import definitions
from private_dagster import told_by_a_code_server
print(told_by_a_code_server(definitions.defs()))
"""
READ = """
import dagster, definitions
graph = definitions.defs().resolve_asset_graph()
scores = dagster.AssetKey("experiment_scores")
definition = graph.get(scores).partitions_def
for key in ("reference", "sft@1e-05@0", "focal_rpo-second@1e-05@0"):
    asked = definition.subset_with_partition_keys([key])
    for name in ("experiment_models", "experiment_second_models"):
        above = dagster.AssetKey(name)
        mapping = graph.get_partition_mapping(scores, above)
        found = mapping.get_upstream_mapped_partitions_result_for_partitions(
            asked, definition, graph.get(above).partitions_def
        )
        print(key, name, *found.partitions_subset.get_partition_keys())
"""
PROGRAMS = """
import dagster, definitions
graph = definitions.defs().resolve_asset_graph()
dagster.Definitions.validate_loadable(definitions.defs())
asset = graph.get(dagster.AssetKey("experiment_programs"))
print("partitions", *asset.partitions_def.get_partition_keys())
"""
POOLS = """
import dagster, definitions
graph = definitions.defs().resolve_asset_graph()
for name in ("experiment_stronger", "experiment_scores"):
    print(name, *graph.get(dagster.AssetKey(name)).pools)
"""
VARIABLES = {
    "ITERPREF_EXPERIMENT": '{"rates": [1e-5, 3e-5], "seeds": 3}',
    "PYTHONPATH": str(Path(private_dagster.__file__).parent),
}


def printed_by(script: str, **variables: str) -> str:
    """What a process prints whose settings ask for two rates and three seeds."""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, **VARIABLES, **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def assets() -> dict[str, list[str]]:
    """Parents, first partition and their number by asset."""
    return {line.split()[0]: line.split()[1:] for line in printed_by(SCRIPT).splitlines()}


def test_models_come_from_pairs_that_come_from_trajectories(assets):
    assert "debug_trajectories" in assets["experiment_pairs"][0].split(",")
    assert "experiment_pairs" in assets["experiment_models"][0].split(",")
    assert "experiment_models" in assets["experiment_scores"][0].split(",")


def test_every_cell_of_the_grid_is_a_partition(assets):
    from iterpref_assets.core.experiment.arms import ARMS

    _, first, count = assets["experiment_scores"]
    assert (first, int(count)) == ("reference", 1 + 2 * 3 * len(ARMS))


def test_first_and_second_rounds_are_trained_by_assets_of_their_own(assets):
    from iterpref_assets.core.experiment.arms import ARMS, SECOND_ROUNDS

    assert int(assets["experiment_models"][2]) == 2 * 3 * (len(ARMS) - len(SECOND_ROUNDS))
    assert int(assets["experiment_second_models"][2]) == 2 * 3 * len(SECOND_ROUNDS)
    for name in ("trajectories", "pairs"):
        assert int(assets[f"experiment_second_{name}"][2]) == len(SECOND_ROUNDS)


def test_a_second_round_comes_from_models_of_the_first(assets):
    for name in ("trajectories", "pairs", "models"):
        assert "experiment_models" in assets[f"experiment_second_{name}"][0].split(",")
    assert "experiment_second_models" in assets["experiment_scores"][0].split(",")


def test_a_score_is_read_off_its_own_model_alone():
    lines = printed_by(READ).splitlines()
    assert [line for line in lines if line.count(" ") > 1] == [
        "sft@1e-05@0 experiment_models sft@1e-05@0",
        "focal_rpo-second@1e-05@0 experiment_second_models focal_rpo-second@1e-05@0",
    ]


def test_every_pair_set_is_a_partition(assets):
    from iterpref_assets.core.experiment.arms import PairSet

    assert int(assets["experiment_pairs"][2]) == len(PairSet)


def test_the_shards_that_were_recorded_are_the_partitions_of_recorded_programs(tmp_path):
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "lab-001.parquet").touch()
    recorded = printed_by(PROGRAMS, ITERPREF_EXPERIMENT=json.dumps({"recorded": str(tmp_path)}))
    assert "partitions lab-001" in recorded.splitlines()


def test_judging_by_stronger_tests_waits_for_the_sandbox_and_no_gpu():
    pools = dict(line.split() for line in printed_by(POOLS).splitlines())
    assert pools == {"experiment_stronger": "sandbox", "experiment_scores": "gpu"}


def test_a_code_server_can_tell_a_deployment_of_the_experiments_assets():
    assert "'experiment_pairs'" in printed_by(SERIALIZED)
