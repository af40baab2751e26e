"""Benchmarks are assets where the settings give their data, and their lineage is that of plans."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OFFICIAL = {"data": "official"}
ALL = dict.fromkeys(("humaneval", "mbpp", "bigcodebench", "livecodebench"), OFFICIAL)
SCRIPT = """
import json, sys
import dagster as dg, definitions
from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.chain import CHAIN
from iterpref_assets.steps.step import StepContext

graph = definitions.defs().resolve_asset_graph()
settings = load_settings()
context = StepContext(settings, ArtifactStore(settings.root))
found = {}
for key in graph.get_all_asset_keys():
    node, name = graph.get(key), key.to_user_string()
    found[name] = {
        "group": node.group_name,
        "parents": sorted(parent.to_user_string() for parent in node.parent_keys),
        "blocking": [c.name for c in node.check_keys if graph.get(c).blocking],
        "described": bool(node.description and node.kinds and node.owners),
    }
for step in CHAIN:
    if step.asset.endswith("_scores") and step.asset in found:
        plan = step.plan(context, "lab/focal_rpo")
        found[step.asset]["planned"] = sorted({parent.asset for parent in plan.parents})
heavy = ("torch", "vllm", "transformers", "matplotlib", "evalplus", "datasets")
print(json.dumps({"assets": found, "loaded": [name for name in heavy if name in sys.modules]}))
"""


def load(benchmarks: dict, root: Path) -> dict:
    environment = {
        **os.environ,
        "ITERPREF_BENCHMARKS": json.dumps(benchmarks),
        "ITERPREF_ROOT": str(root),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return load(ALL, tmp_path_factory.mktemp("root"))


@pytest.fixture(scope="module")
def assets(everything: dict) -> dict:
    return everything["assets"]


def test_only_what_the_settings_give_data_for_is_an_asset(tmp_path: Path) -> None:
    found = load({"mbpp": OFFICIAL}, tmp_path)["assets"]
    assert {name for name, each in found.items() if each["group"] == "benchmarks"} == {
        "mbpp_tasks", "mbpp_scores",
    }  # fmt: skip
    assert "leaderboard" in found


def test_each_benchmark_has_tasks_with_a_blocking_check_and_scores_that_follow_them(assets) -> None:
    for name in ALL:
        assert assets[f"{name}_tasks"]["blocking"] == ["reference_solutions_pass"]
    followers = {
        name: [parent for parent in each["parents"] if parent.endswith("_tasks")]
        for name, each in assets.items()
        if name.endswith("_scores") and name != "heldout_scores"
    }
    assert followers == {
        "humaneval_scores": ["humaneval_tasks"],
        "mbpp_scores": ["mbpp_tasks"],
        "bigcodebench_complete_scores": ["bigcodebench_tasks"],
        "bigcodebench_instruct_scores": ["bigcodebench_tasks"],
        "livecodebench_scores": ["livecodebench_tasks"],
    }


def test_every_parent_of_a_plan_is_a_parent_in_the_lineage(assets) -> None:
    planned = {name: each for name, each in assets.items() if "planned" in each}
    assert len(planned) == 6
    for name, each in planned.items():
        assert set(each["planned"]) <= set(each["parents"]), name


def test_the_leaderboard_follows_every_score_and_the_report_follows_it(assets) -> None:
    scores = {name for name in assets if name.endswith("_scores")} - {"heldout_scores"}
    assert scores <= set(assets["leaderboard"]["parents"])
    assert "leaderboard" in assets["experiment_reports"]["parents"]


def test_every_asset_has_a_description_kinds_and_owners(assets) -> None:
    assert [name for name, each in assets.items() if not each["described"]] == []


def test_loading_benchmarks_assets_imports_no_heavy_package(everything) -> None:
    assert everything["loaded"] == []
