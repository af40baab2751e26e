"""The Dagster code location: iterpref_assets/defs, and what holds for all of it."""

import warnings
from pathlib import Path

import dagster as dg

# The one beta feature in use: without it, a range of shards would start one engine per shard.
warnings.filterwarnings("ignore", message=r".*backfill_policy.*", category=dg.BetaWarning)


@dg.definitions
def defs() -> dg.Definitions:
    """Assets, checks, jobs and automation; steps that are heavy run in workers of their own."""
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor))
