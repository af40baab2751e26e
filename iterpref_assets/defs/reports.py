"""Group reports: the pages that people read about one base model."""

from iterpref_assets.core import tables
from iterpref_assets.defs import conditions, metadata
from iterpref_assets.defs.stage import stage_asset
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.leaderboard import LEADERBOARD
from iterpref_assets.steps.reports import EXPERIMENT_REPORTS

if LEADERBOARD.exists(load_settings()):
    leaderboard = stage_asset(
        LEADERBOARD,
        description="Variants by benchmark, as in the paper's Table 1, against the reference "
        "model.",
        group="reports",
        kinds={"markdown", "matplotlib", "parquet"},
        automation=conditions.KEEP_UP,
        describe=metadata.of_leaderboard,
        schema=tables.LEADERBOARD,
    )

experiment_reports = stage_asset(
    EXPERIMENT_REPORTS,
    description="Markdown and plots: pass rate by round, filters, focal share, curves, pass@1 by "
    "variant.",
    group="reports",
    kinds={"markdown", "matplotlib"},
    automation=conditions.KEEP_UP,
    describe=metadata.of_report,
)
