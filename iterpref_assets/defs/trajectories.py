"""Group trajectories: how the generator debugs its own programs."""

from iterpref_assets.core import tables
from iterpref_assets.defs import conditions, metadata
from iterpref_assets.defs.stage import stage_asset
from iterpref_assets.steps.trajectories import DEBUG_TRAJECTORIES

debug_trajectories = stage_asset(
    DEBUG_TRAJECTORIES,
    description="Every version of every program: run, shown its failure, rewritten, up to five "
    "rounds.",
    group="trajectories",
    kinds={"vllm", "bubblewrap", "parquet"},
    pool="gpu",
    in_worker=True,
    section="debugging",
    automation=conditions.MAKE,
    describe=metadata.of_trajectories,
    schema=tables.VERSIONS,
)
