"""Until when an asset that a schedule makes counts as fresh."""

from datetime import timedelta

import dagster as dg

from iterpref_assets.settings import load_settings
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Step

WEEK, DAY = timedelta(days=7), timedelta(days=1)
_LATE = 2
"""The next run of a schedule may take as long as the time between two."""


def freshness(step: Step) -> dg.FreshnessPolicy | None:
    """Of what rebuild_codeflow makes weekly and evaluate_variants records nightly; else None.

    A warning says that one run of the schedule made nothing, a failure that two did. What a run
    records as current counts: nothing need change to be fresh.
    """
    settings = load_settings()
    if not step.in_run(settings):
        return None
    every = {Partitioning.SHARD: WEEK, Partitioning.SCORE: DAY}.get(step.partitioning)
    if every is None:
        return None
    return dg.FreshnessPolicy.time_window(
        fail_window=(_LATE + 1) * every, warn_window=_LATE * every
    )
