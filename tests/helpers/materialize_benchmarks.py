"""Materialize every benchmark's assets as the environment's settings describe them.

A process of its own, because definitions read the settings when they are loaded. An argument is a
variant, or a variant and the one asset that it is scored by: `focal_rpo:mbpp_scores`. Prints one
JSON object: whether each check passed, and the names of each asset's metadata.
"""

import json
import sys

import dagster as dg

from iterpref_assets.runner import load_definitions
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.benchmarks import SCORE_ASSETS, tasks_key


def main() -> None:
    job = load_definitions().resolve_implicit_global_asset_job_def()
    names = load_settings().benchmarks.names()
    scores = [asked.asset for asked in SCORE_ASSETS if asked.benchmark in names]
    phases = [
        (["lab_base_model"], None),
        (["base_models"], "lab"),
        ([tasks_key(name).asset for name in names], None),
        *[
            ([only] if only else scores, f"lab|{variant}")
            for variant, _, only in (argument.partition(":") for argument in sys.argv[1:])
        ],
        (["leaderboard"], "lab"),
    ]
    checks: dict[str, bool] = {}
    metadata: dict[str, list[str]] = {}
    with dg.DagsterInstance.ephemeral() as instance:
        for assets, partition in phases:
            result = job.execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(asset) for asset in assets],
                partition_key=partition,
            )
            for check in result.get_asset_check_evaluations():
                checks[f"{check.asset_key.to_user_string()}: {check.check_name}"] = check.passed
            for event in result.get_asset_materialization_events():
                made = event.step_materialization_data.materialization
                metadata[made.asset_key.to_user_string()] = sorted(made.metadata)
    sys.stdout.write(json.dumps({"checks": checks, "metadata": metadata}) + "\n")


if __name__ == "__main__":
    main()
