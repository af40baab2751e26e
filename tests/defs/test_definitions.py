"""The code location holds the assets that its users know by name."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import dagster as dg
import pytest

from iterpref_assets import defs
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.runner import load_definitions
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.chain import CHAIN, step_of
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import StepContext

ROOT = Path(__file__).resolve().parents[2]
CHECKS = {
    "seed_problems": {
        "reference_solutions_pass", "tests_tell_siblings_apart", "no_benchmark_overlap",
        "every_benchmark_is_compared_with",
    },
    "debug_trajectories": {"prompts_leak_no_tests"},
    "codeflow_pairs": {"pairs_differ", "chosen_passes_all_tests", "rejected_fails_a_test"},
    "preference_pairs": {"every_pair_has_focal_tokens"},
    "heldout_scores": {"checkpoint_not_worse_than_base"},
}  # fmt: skip


@pytest.fixture(scope="module")
def graph() -> dg.AssetsDefinition:
    return load_definitions().resolve_asset_graph()


def test_every_step_that_the_settings_have_is_an_asset_and_nothing_else(graph) -> None:
    steps = {step.asset for step in CHAIN if step.exists(load_settings())}
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == steps
    assert {"seed_problems", "codeflow_pairs", "checkpoints", "experiment_reports"} <= steps


def test_every_asset_lies_in_the_module_of_its_groups_name(graph) -> None:
    for key in graph.get_all_asset_keys():
        module = import_module(f"{defs.__name__}.{graph.get(key).group_name}")
        assets = [each for each in vars(module).values() if isinstance(each, dg.AssetsDefinition)]
        assert key in {asset.key for asset in assets if not asset.check_keys}, key


def test_every_asset_has_a_description_kinds_and_owners(graph) -> None:
    nodes = [graph.get(key) for key in graph.get_all_asset_keys()]
    lacking = [node.key for node in nodes if not (node.description and node.kinds and node.owners)]
    assert lacking == []


def test_every_asset_links_to_the_function_that_publishes_it(graph) -> None:
    for key in graph.get_all_asset_keys():
        (link,) = graph.get(key).metadata["dagster/code_references"].code_references
        line = Path(link.file_path).read_text().splitlines()[link.line_number - 1]
        assert line.startswith("def _publish"), key


def test_every_column_that_is_shown_says_what_it_holds(graph) -> None:
    nodes = [graph.get(key) for key in graph.get_all_asset_keys()]
    schemas = [node.metadata.get("dagster/column_schema") for node in nodes]
    columns = [column for schema in schemas if schema for column in schema.columns]
    assert len(columns) > 50
    assert [column.name for column in columns if not column.description] == []


@pytest.mark.parametrize(
    ("asset", "days"),
    [("raw_seeds", 21), ("codeflow_pairs", 21), ("heldout_scores", 3), ("checkpoints", None)],
)
def test_what_a_schedule_makes_has_a_time_until_which_it_is_fresh(graph, asset, days) -> None:
    policy = graph.get(dg.AssetKey(asset)).freshness_policy_or_from_metadata
    assert (policy and policy.fail_window.to_timedelta().days) == days


def test_owners_tags_and_the_repository_are_the_settings() -> None:
    script = (
        "import dagster, definitions;"
        "node = definitions.defs().resolve_asset_graph().get(dagster.AssetKey('checkpoints'));"
        "link, = node.metadata['dagster/code_references'].code_references;"
        "print(*node.owners, node.tags['cost-center'], link.url)"
    )
    operations = {
        "owners": ["team:nlp", "ada@example.org"], "tags": {"cost-center": "7"},
        "source_url": "https://example.org/code/blob/main",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "ITERPREF_OPERATIONS": json.dumps(operations)},
    )  # fmt: skip
    owners, mail, tag, url = done.stdout.split()
    assert (owners, mail, tag) == ("team:nlp", "ada@example.org", "7")
    assert url.startswith("https://example.org/code/blob/main/iterpref_assets/steps/")


def test_every_asset_has_the_code_version_of_the_step_that_publishes_it(graph) -> None:
    versions = {key: graph.get(key).code_version for key in graph.get_all_asset_keys()}
    steps = {key: step_of(key.to_user_string()).code_version for key in versions}
    assert versions == steps


def test_the_assets_that_compute_on_gpus_wait_for_the_pool_of_that_name(graph) -> None:
    settings = load_settings()
    keys = graph.get_all_asset_keys()
    pooled = {key.to_user_string() for key in keys if graph.get(key).pools == {"gpu"}}
    steps = [step for step in CHAIN if step.exists(settings)]
    assert {step.asset for step in steps if step.gpus(settings)} == pooled
    assert "initial_samples" in pooled


@pytest.mark.parametrize(("asset", "names"), CHECKS.items())
def test_every_asset_has_its_checks(graph, asset: str, names: set[str]) -> None:
    keys = graph.get(dg.AssetKey(asset)).check_keys
    assert {key.name for key in keys} == names


@pytest.fixture
def parents(graph, tmp_path: Path) -> dict[str, set[str]]:
    """What each asset is planned of where the reference model and a checkpoint are scored."""
    settings = load_settings()
    context = StepContext(settings, ArtifactStore(tmp_path))
    for variant in ("reference", "focal_rpo"):
        with context.store.publishing(Plan(ArtifactKey("heldout_scores", f"lab/{variant}"), "1")):
            pass
    partition_of = {
        Partitioning.WHOLE: "all", Partitioning.SHARD: settings.seeds.shards()[0],
        Partitioning.BASE_MODEL: "lab", Partitioning.CHECKPOINT: "lab/focal_rpo",
        Partitioning.SCORE: "lab/focal_rpo",
        Partitioning.PAIR_SET: "random", Partitioning.CELL: "focal_rpo@1e-05@0",
    }  # fmt: skip
    return {
        step.asset: {
            parent.asset for parent in step.plan(context, partition_of[step.partitioning]).parents
        }
        for step in CHAIN
        if step.exists(settings)
    }


def test_a_report_is_planned_of_checkpoints_and_scores(parents) -> None:
    assert {"checkpoints", "heldout_scores"} <= parents["experiment_reports"]


def test_every_dependency_of_a_plan_is_a_dependency_in_the_lineage(graph, parents) -> None:
    for asset, planned in parents.items():
        lineage = {key.to_user_string() for key in graph.get(dg.AssetKey(asset)).parent_keys}
        assert planned <= lineage, asset


def parents_under(asset: str, **settings: object) -> str:
    """The parents of an asset in the lineage of a process with these settings."""
    script = (
        "import dagster, definitions;"
        "graph = definitions.defs().resolve_asset_graph();"
        f"print(graph.get(dagster.AssetKey({asset!r})).parent_keys)"
    )
    variables = {f"ITERPREF_{name.upper()}": json.dumps(each) for name, each in settings.items()}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_synthesis_is_an_asset_once_the_settings_ask_for_it(tmp_path: Path) -> None:
    seeds = {"kind": "feature_tree", "tree": str(tmp_path / "t"), "heldout": str(tmp_path / "h")}
    assert "synthetic_tasks" in parents_under("raw_seeds", seeds=seeds)


def test_what_a_remote_generator_writes_does_not_come_from_the_labs_model() -> None:
    remote = {"source": "remote", "model": "m"}
    parents = parents_under("initial_samples", generator=remote, engine={"kind": "openai"})
    assert "seed_problems" in parents
    assert "lab_base_model" not in parents


def test_what_is_materialized_by_hand_goes_before_the_runs_of_every_job() -> None:
    resolved = load_definitions().resolve_all_job_defs()
    jobs = [job for job in resolved if not job.name.startswith("__")]
    assert {"read_seeds", "build_codeflow", "score_variants"} <= {job.name for job in jobs}
    assert [job.name for job in jobs if int(job.tags.get("dagster/priority", 0)) >= 0] == []
