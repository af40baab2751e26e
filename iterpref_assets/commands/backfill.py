"""`iterpref backfill`: an asset backfill on a running deployment, from a shell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from iterpref_assets.core.errors import InputError
from iterpref_assets.operations import backfills
from iterpref_assets.operations.graphql import Deployment
from iterpref_assets.operations.partitions import AssetPartitions, partitions_of
from iterpref_assets.settings import load_settings

SUCCEEDED = {"COMPLETED", "COMPLETED_SUCCESS"}


def backfill(
    assets: Annotated[list[str], typer.Argument(help="Assets to materialize", show_default=False)],
    partitions: Annotated[str | None, typer.Option(help="Keys with commas between")] = None,
    range_: Annotated[str | None, typer.Option("--range", help="FIRST...LAST")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every partition")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Those that failed last")] = False,
    missing: Annotated[bool, typer.Option("--missing", help="Those never made")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end")] = False,
    url: Annotated[str | None, typer.Option(help="The deployment's UI")] = None,
) -> None:
    """Launch an asset backfill on a running deployment; exit status 1 if a partition fails."""
    chosen = [partitions is not None, range_ is not None, all_, failed, missing]
    if sum(chosen) != 1:
        raise InputError(
            "say which partitions, in one way",
            remedy="Give one of --partitions, --range, --all, --failed, --missing",
        )
    console = Console()
    deployment = Deployment(url or load_settings().operations.url)
    found = [partitions_of(deployment, asset) for asset in dict.fromkeys(assets)]
    keys = None if all_ else _keys(found, partitions, range_, failed=failed)
    if keys == ():
        console.print(f"no {'failed' if failed else 'missing'} partition: nothing to do")
        return
    if keys is None:
        _require_partitions(found)
    backfill_id = backfills.launch(deployment, assets, keys)
    console.print(f"backfill {backfill_id}: {deployment.url}/runs/b/{backfill_id}", soft_wrap=True)
    if not backfills.backfill_daemon_runs(deployment):
        console.print("[yellow]no daemon answers: it waits until dagster-daemon runs[/]")
    if wait and not _watch(console, deployment, backfill_id):
        raise typer.Exit(1)


def _keys(
    found: Sequence[AssetPartitions], partitions: str | None, range_: str | None, *, failed: bool
) -> tuple[str, ...]:
    """The chosen partitions, of the first asset: all assets are partitioned alike."""
    first = found[0]
    if not first.dimensions:
        raise InputError(f"{first.asset} has no partitions", remedy="Use --all to make it")
    for other in found[1:]:
        if other.dimensions != first.dimensions:
            raise InputError(
                f"{first.asset} and {other.asset} have different partitions",
                remedy="Launch a backfill for each, or use --all",
            )
    if partitions is not None:
        return first.named([name.strip() for name in partitions.split(",")])
    if range_ is not None:
        return first.between(range_)
    wanted = frozenset[str]().union(*(asset.failed if failed else asset.missing for asset in found))
    return tuple(key for key in first.keys if key in wanted)


def _require_partitions(found: Sequence[AssetPartitions]) -> None:
    for asset in found:
        if asset.dimensions and not asset.keys:
            raise InputError(
                f"{asset.asset} has no partition yet",
                remedy="Register the shards: iterpref prepare",
            )


def _watch(console: Console, deployment: Deployment, backfill_id: str) -> bool:
    """Show the backfill's progress to its end, then what failed; whether all went well."""
    show = _bars if console.is_terminal else _lines
    status = show(console, backfills.follow(deployment, backfill_id))
    failures = backfills.failed_runs(deployment, backfill_id)
    for run in failures:
        console.print(f"{run.partitions}: {run.reason}", markup=False, soft_wrap=True)
        console.print(f"    {deployment.url}/runs/{run.run_id}", soft_wrap=True)
    console.print(f"backfill {backfill_id}: {status.lower().replace('_', ' ')}")
    return status in SUCCEEDED and not failures


def _bars(console: Console, states: Iterator[backfills.BackfillProgress]) -> str:
    """A bar for each asset; the last status."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bars: dict[str, TaskID] = {}
    status = ""
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=console) as progress:
        for state in states:
            status = state.status
            for asset in state.assets:
                bar = bars.get(asset.asset)
                if bar is None:
                    bar = bars[asset.asset] = progress.add_task(asset.asset, note="")
                note = f"[red]{asset.failed} failed[/]" if asset.failed else ""
                progress.update(bar, total=asset.targeted, completed=asset.materialized, note=note)
            if state.error:
                console.print(state.error, style="red", markup=False)
    return status


def _lines(console: Console, states: Iterator[backfills.BackfillProgress]) -> str:
    """A line for each change, where bars cannot be drawn: logs, pipes; the last status."""
    status, shown = "", set[backfills.AssetProgress]()
    for state in states:
        status = state.status
        for asset in state.assets:
            if asset not in shown:
                shown.add(asset)
                note = f", {asset.failed} failed" if asset.failed else ""
                console.print(f"{asset.asset}: {asset.materialized} of {asset.targeted}{note}")
        if state.error:
            console.print(state.error, markup=False)
    return status
