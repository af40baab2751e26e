"""Group samples: the generator's first completions of every problem."""

from iterpref_assets.core import tables
from iterpref_assets.defs import conditions, metadata
from iterpref_assets.defs.stage import stage_asset
from iterpref_assets.steps.samples import INITIAL_SAMPLES

initial_samples = stage_asset(
    INITIAL_SAMPLES,
    description="Round 0: completions of every problem, and programs that came with their tasks.",
    group="samples",
    kinds={"vllm", "parquet"},
    pool="gpu",
    in_worker=True,
    section="sampling",
    automation=conditions.MAKE,
    describe=metadata.of_completions,
    schema=tables.COMPLETIONS,
)
