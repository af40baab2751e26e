"""What every asset check has in common: it is true if nothing offends, and shows what does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dagster as dg

from iterpref_assets.defs.resources import bad_input_as_failure

SHOWN, LISTED = 5, 100


def offenders_result(
    find_offenders: Callable[[], Sequence[str]],
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """Passed if there are none; bad input fails the run with its message instead."""
    with bad_input_as_failure():
        offenders = find_offenders()
    return dg.AssetCheckResult(
        passed=not offenders,
        severity=severity,
        description="; ".join(offenders[:SHOWN]),
        metadata={"offenders": len(offenders), "first": list(offenders[:LISTED])},
    )
