"""`iterpref backfill`: an asset backfill on a running deployment, from a shell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from iterpref_assets.operations import backfills
from iterpref_assets.operations.backfills import AssetProgress, BackfillProgress
from iterpref_assets.operations.graphql import Deployment
from iterpref_assets.operations.partitions import PartitionChoice
from iterpref_assets.settings import load_settings


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
    choice = PartitionChoice(partitions, range_, all_, failed, missing)
    console = Console()
    deployment = Deployment(url or load_settings().operations.url)
    backfill_id = backfills.launch_chosen(deployment, assets, choice)
    if backfill_id is None:
        console.print(f"no {'failed' if failed else 'missing'} partition: nothing to do")
        return
    console.print(f"backfill {backfill_id}: {deployment.url}/runs/b/{backfill_id}", soft_wrap=True)
    if not backfills.backfill_daemon_runs(deployment):
        console.print("[yellow]no daemon answers: it waits until dagster-daemon runs[/]")
    if wait and not _watch(console, deployment, backfill_id):
        raise typer.Exit(1)


def _watch(console: Console, deployment: Deployment, backfill_id: str) -> bool:
    """Show the backfill's progress to its end, then what failed; whether all went well."""
    show = _bars if console.is_terminal else _lines
    *_, last = show(console, backfills.follow(deployment, backfill_id))
    failures = backfills.failed_runs(deployment, backfill_id)
    for run in failures:
        console.print(f"{run.partitions}: {run.reason}", markup=False, soft_wrap=True)
        console.print(f"    {deployment.url}/runs/{run.run_id}", soft_wrap=True)
    console.print(f"backfill {backfill_id}: {last.status.lower().replace('_', ' ')}")
    return last.succeeded and not failures


def _bars(console: Console, states: Iterator[BackfillProgress]) -> Iterator[BackfillProgress]:
    """The same states, each shown as a bar for each asset."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bars: dict[str, TaskID] = {}
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=console) as progress:
        for state in states:
            for asset in state.assets:
                bar = bars.get(asset.asset)
                if bar is None:
                    bar = bars[asset.asset] = progress.add_task(asset.asset, note="")
                note = f"[red]{asset.failed} failed[/]" if asset.failed else ""
                progress.update(bar, total=asset.targeted, completed=asset.materialized, note=note)
            if state.error:
                console.print(state.error, style="red", markup=False)
            yield state


def _lines(console: Console, states: Iterator[BackfillProgress]) -> Iterator[BackfillProgress]:
    """The same states, a line for each change, where bars cannot be drawn: logs, pipes."""
    shown = set[AssetProgress]()
    for state in states:
        for asset in state.assets:
            if asset not in shown:
                shown.add(asset)
                note = f", {asset.failed} failed" if asset.failed else ""
                console.print(f"{asset.asset}: {asset.materialized} of {asset.targeted}{note}")
        if state.error:
            console.print(state.error, markup=False)
        yield state
