"""Two assets over shards, as the project's are: words of a folder, and their counts.

Which shards were made, and how often, stands in `made.log` below the settings' root. As a script it
materializes a range of words and is killed while the shard `KILLED_AT` is being made.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence

import dagster as dg

from iterpref_assets.core.artifacts import ArtifactKey, Plan
from iterpref_assets.defs import metadata
from iterpref_assets.defs.partitions import SHARDS, range_tags
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.defs.stage import stage_asset
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Step, StepContext

NAMES = ("a", "b", "c")
KILLED_AT = "KILLED_AT"


def words_of(context: StepContext, shard: str) -> str:
    return (context.settings.root / "words" / shard).read_text()


def log_made(context: StepContext, plan: Plan) -> None:
    if os.environ.get(KILLED_AT) == str(plan.key):
        die_once_the_shard_before_is_recorded(plan)
    with (context.settings.root / "made.log").open("a") as log:
        log.write(f"{plan.key}\n")


def die_once_the_shard_before_is_recorded(plan: Plan) -> None:
    before = NAMES[NAMES.index(plan.key.partition) - 1]
    with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
        while before not in instance.get_materialized_partitions(dg.AssetKey(plan.key.asset)):
            time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)


def publish_words(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in plans:
        log_made(context, plan)
        with context.store.publishing(plan) as staging:
            (staging.folder / "words").write_text(words_of(context, plan.key.partition))


def publish_counts(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in plans:
        log_made(context, plan)
        words = context.store.current(ArtifactKey("words", plan.key.partition)).path("words")
        with context.store.publishing(plan) as staging:
            (staging.folder / "count").write_text(str(len(words.read_text().split())))


WORDS = Step(
    asset="words", partitioning=Partitioning.SHARD, publish=publish_words, code_version="1",
    config=lambda context, shard: {"words": words_of(context, shard)},
)  # fmt: skip
COUNTS = Step(
    asset="counts", partitioning=Partitioning.SHARD, parents=(WORDS,), publish=publish_counts,
    code_version="1",
)  # fmt: skip
SHOWN = {"group": "words", "kinds": {"python"}, "describe": metadata.of_nothing}
words = stage_asset(WORDS, description="Words.", **SHOWN)
counts = stage_asset(COUNTS, description="Counts.", **SHOWN)
DEFINITIONS = dg.Definitions(
    [words, counts], resources={"project": ProjectResource(), "workers": WorkerResource()}
)


def materialize(
    instance: dg.DagsterInstance,
    assets: Sequence[str],
    shards: Sequence[str],
    *,
    anew: bool = False,
    raise_on_error: bool = True,
) -> dg.ExecuteInProcessResult:
    """One run over a stretch of shards, or over one, as Dagster launches them."""
    instance.add_dynamic_partitions(SHARDS, list(NAMES))
    config = {"ops": {asset: {"config": {"anew": anew}} for asset in assets}}
    return DEFINITIONS.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey(asset) for asset in assets],
        partition_key=shards[0] if len(shards) == 1 else None, run_config=config,
        tags=range_tags(shards) if len(shards) > 1 else {}, raise_on_error=raise_on_error,
    )  # fmt: skip


if __name__ == "__main__":
    with dg.DagsterInstance.from_config(sys.argv[1]) as opened:
        materialize(opened, ["words"], NAMES)
