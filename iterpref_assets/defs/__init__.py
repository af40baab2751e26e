"""Dagster glue: read, call the core, publish, report."""

import warnings

import dagster as dg

# The beta features in use. Without single-run backfills a range of shards would start one engine
# per shard; without the mappings a checkpoint's lineage would not reach its base model; without the
# code server Dagster cannot evaluate a condition of our own; without references an asset does not
# link to its code.
BETA = (
    "backfill_policy",
    "MultiPartitionMapping",
    "MultiToSingleDimension",
    "use_user_code_server",
    "CodeReference",
)
for feature in BETA:
    warnings.filterwarnings("ignore", message=f".*{feature}.*", category=dg.BetaWarning)
# Raised inside dagster by its own PipesSubprocessClient.
warnings.filterwarnings("ignore", message=".*expected_writer_count.*", category=dg.PreviewWarning)
