"""Group evaluations: scores of every variant on the held-out problems."""

from iterpref_assets.core import tables
from iterpref_assets.defs import metadata
from iterpref_assets.defs.stage import stage_asset
from iterpref_assets.steps.evaluations import HELDOUT_SCORES

heldout_scores = stage_asset(
    HELDOUT_SCORES,
    description="Every held-out problem judged, greedy and sampled, for one variant of one base "
    "model.",
    group="evaluations",
    kinds={"vllm", "bubblewrap", "parquet"},
    pool="gpu",
    in_worker=True,
    section="evaluation",
    describe=metadata.of_scores,
    schema=tables.SCORES,
)
