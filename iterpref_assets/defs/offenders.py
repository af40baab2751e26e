"""What every asset check shows: what it looked at, what offends there, and where to look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote

import dagster as dg

from iterpref_assets.core.artifacts import UNPARTITIONED, ArtifactKey, ArtifactStore
from iterpref_assets.defs.event_size import within_an_event
from iterpref_assets.defs.partitions import partition_key
from iterpref_assets.defs.resources import bad_input_as_failure
from iterpref_assets.defs.step_limit import ended_in_time
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.findings import Findings, Offender

SHOWN = 5
SHOWN_IN_TABLE = 25
NAMED_PARTITIONS = 100
LONGEST_REASON = 200
_URL = load_settings().operations.url.rstrip("/")


def check_result(
    find: Callable[[], Findings],
    store: ArtifactStore,
    partitions: Sequence[str],
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """Passed if nothing offends; bad input fails the run with its message instead.

    Args:
        find: looks at the artifacts.
        store: where they are.
        partitions: the artifact partitions that it looks at.
        severity: what it means if something offends.
    """
    with ended_in_time(load_settings().operations.step_hours), bad_input_as_failure():
        findings = find()
    offends = "; ".join(str(each)[:LONGEST_REASON] for each in findings.first[:SHOWN])
    counts = {name: dg.MetadataValue.int(count) for name, count in findings.looked_at.items()}
    first = {"first": dg.MetadataValue.md(_table(findings, store))} if findings.count else {}
    looked_at = f"{findings.extent} of {_named(partitions)}"
    return dg.AssetCheckResult(
        passed=not findings.count,
        severity=severity,
        description=offends or findings.extent,
        metadata=within_an_event(
            {
                "looked_at": dg.MetadataValue.text(looked_at),
                "offenders": dg.MetadataValue.int(findings.count),
                **first,
                **counts,
                "partitions": dg.MetadataValue.json(list(partitions[:NAMED_PARTITIONS])),
            },
            "the artifacts of these partitions",
        ),
    )


def page_of(key: ArtifactKey) -> str:
    """The address of the page of the UI that shows an artifact."""
    page = f"{_URL}/assets/{quote(key.asset)}"
    if key.partition == UNPARTITIONED:
        return page
    return f"{page}?view=partitions&partition={quote(partition_key(key.partition), safe='')}"


def _named(partitions: Sequence[str]) -> str:
    if len(partitions) <= SHOWN:
        return ", ".join(partitions) or "no partition"
    return f"{partitions[0]} to {partitions[-1]}, {len(partitions)} in all"


def _table(findings: Findings, store: ArtifactStore) -> str:
    rows = [_row(each, store) for each in findings.first[:SHOWN_IN_TABLE]]
    more = findings.count - len(rows)
    after = f"\n\n{more:,} more." if more else ""
    return "\n".join(["| offender | reason | page | file |", "|---|---|---|---|", *rows]) + after


def _row(offender: Offender, store: ArtifactStore) -> str:
    key = offender.artifact
    artifact = store.find(key)
    folder = f"`{artifact.folder}`" if artifact else "not published"
    page = f"[{key}]({page_of(key)})"
    cells = (_cell(offender.name), _cell(offender.reason), page, folder)
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Text that may hold anything a program printed, in one cell of a Markdown table."""
    short = " ".join(text.split())[:LONGEST_REASON]
    return f"`{short.replace('`', chr(39)).replace('|', '/')}`" if short else ""
