"""`iterpref pairs` and `iterpref export`: preference pairs without Dagster."""

from __future__ import annotations

import logging
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console
from rich.table import Column, Table

from iterpref_assets.core import tables
from iterpref_assets.core.decontamination.refusal import BenchmarkSource
from iterpref_assets.core.pairs.by_problem import SHOWN, told
from iterpref_assets.core.pairs.config import Difference, Negatives, PairConfig
from iterpref_assets.core.pairs.making import (
    Made,
    PairInputs,
    RunAgain,
    load_tokenizer,
    make_pairs,
    write_pair_manifest,
)
from iterpref_assets.core.pairs.manifest import PairManifest
from iterpref_assets.core.pairs.token_files import tokens_beside, tokens_of


class ExportFormat(StrEnum):
    """What `iterpref export` writes."""

    TARGET_DPO = "target-dpo"
    TRL = "trl"
    MESSAGES = "messages"


def pairs(
    trajectories: Annotated[
        list[Path],
        typer.Option(
            help="Recorded trajectories as JSON lines, of the form in docs/PAIRS.md or "
            "LLMDebugger's (executed again), or one version table of this project (.parquet), or "
            "the authors' released pairs (.json). JSON may be packed (.gz, .xz, .zst)."
        ),
    ],
    tokenizer: Annotated[
        str,
        typer.Option(
            help="A fast tokenizer: a folder, OWNER/NAME or OWNER/NAME@COMMIT of the hub, `lab`."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Pair table to write, a .parquet file.")],
    more_trajectories: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="More trajectory files.")
    ] = None,
    problems: Annotated[
        Path | None, typer.Option(help="Problem table that goes with a version table.")
    ] = None,
    negatives: Annotated[
        Negatives,
        typer.Option(
            help="Which failing version is rejected; pass_rate pairs independent samples instead, "
            "nearest each passing program with the failing one most like it."
        ),
    ] = Negatives.RANDOM,
    difference: Annotated[
        Difference, typer.Option(help="How D+ and D- are found.")
    ] = Difference.LCS,
    benchmark: Annotated[
        list[Path] | None,
        typer.Option(
            help="Published benchmark file, again for each: pairs are dropped that share an item's "
            "id, ten words in a row of its prompt, or its program."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random choice of negatives.")] = 0,
    allow_training_on: Annotated[
        list[BenchmarkSource] | None,
        typer.Option(
            help="Let `iterpref train` use pairs that solve benchmark tasks; kept in the manifest."
        ),
    ] = None,
    judge: Annotated[
        bool,
        typer.Option("--judge", help="Ask the judge that the settings name (pairs.judge) as well."),
    ] = False,
    page: Annotated[
        Path | None,
        typer.Option(help="HTML page of all pairs side by side, as `iterpref pages pairs`."),
    ] = None,
) -> None:
    """Build preference pairs with focal masks from debugging trajectories.

    Writes every candidate pair with the filter that dropped it to OUT, and beside it the ids and
    masks of the kept ones (OUT with .tokens before its suffix) and a manifest (.manifest.json).
    What a judge answered is kept there too (.judge.jsonl), so that nothing is asked twice, and so
    are verdicts (executions.jsonl), so that no program runs twice against the same tests.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    from iterpref_assets.settings import load_settings
    from iterpref_assets.steps.named_model import description_folder
    from iterpref_assets.steps.pairs import named_judge

    config = PairConfig(
        negatives=negatives,
        difference=difference,
        seed=seed,
        judge=named_judge(load_settings()) if judge else None,
    )
    inputs = PairInputs([*trajectories, *(more_trajectories or [])], problems, benchmark or [])
    made = make_pairs(inputs, load_tokenizer(description_folder(str(tokenizer))), config, out)
    manifest = write_pair_manifest(out, inputs, config, made.sources, allow_training_on or [])
    _print_made(made)
    _print_refused(manifest)
    _print_summary(out, made)
    if page:
        _write_page(out, page, inputs, made)


def export(
    out: Annotated[
        Path, typer.Option(help="target-dpo: a .json file; others: .parquet or .jsonl.")
    ],
    pair_table: Annotated[
        Path, typer.Option("--pairs", help="Pair table that `iterpref pairs` wrote.")
    ],
    format_: Annotated[ExportFormat, typer.Option("--format", help="Whose format.")],
    tokens: Annotated[
        Path | None, typer.Option(help="Ids and masks (trl), by default the file beside --pairs.")
    ] = None,
) -> None:
    """Write kept pairs as the authors do, for TRL with masks, or as chat messages."""
    from iterpref_assets.core.pairs.formats import write_messages, write_target_dpo, write_trl

    table = tables.read_table(pair_table, tables.PAIRS)
    if format_ is ExportFormat.TARGET_DPO:
        count = write_target_dpo(table, out)
    elif format_ is ExportFormat.MESSAGES:
        count = write_messages(table, out)
    else:
        file = tokens or tokens_of(pair_table)
        count = write_trl(table, tables.read_table(file, tables.TOKENIZED_PAIRS), out)
    Console().print(f"{count:,} pairs in {out}", soft_wrap=True)


def _print_made(made: Made) -> None:
    console = Console()
    if made.run_again:
        _print_run_again(made.run_again, console)
    if made.executed or made.run_again:
        console.print(f"programs executed now: {made.executed:,}")
    if made.judged:
        told = ", ".join(
            f"{name.replace('_', ' ')} {count:,}" for name, count in made.judged.answers.items()
        )
        console.print(f"judge: {told} ({made.judged.asked:,} asked now)")
    doubtful = () if made.doubtful is None else made.doubtful.iter_rows()
    for name, samples, agreeing, evidence in doubtful:
        told = f"doubtful tests: {name}: {agreeing} of {samples} samples agree: {evidence}"
        console.print(told, soft_wrap=True, markup=False)


def _print_run_again(found: RunAgain, console: Console) -> None:
    for error in found.unusable:
        console.print(f"left out: {error}", soft_wrap=True, markup=False)
    console.print(
        f"{found.trajectories:,} trajectories, {found.programs:,} programs run again, "
        f"{found.passed:,} of which pass; {found.disagreements.height} trajectories do not do what "
        "was recorded"
    )
    if found.disagreements.is_empty():
        return
    table = Table(Column("trajectory", overflow="fold"), "recorded", "here")
    for name, is_solved, verdict, error_type in found.disagreements.iter_rows():
        here = " ".join(part for part in (verdict, error_type) if part)
        table.add_row(name, "solved" if is_solved else "not solved", here)
    console.print(table)


def _print_refused(manifest: PairManifest) -> None:
    """Say so where `iterpref train` refuses the pairs."""
    if refused := manifest.refused_sources():
        named = " and ".join(manifest.benchmark_tasks)
        told = " and ".join(source or "an unknown source" for source in refused)
        Console().print(
            f"pairs of {named} tasks from {told}: `iterpref train` refuses them", soft_wrap=True
        )


def _print_summary(out: Path, made: Made) -> None:
    from iterpref_assets.core.pairs.characteristics import difference_sizes
    from iterpref_assets.core.pairs.statistics import count_by_filter, focal_share

    counts = count_by_filter(pl.read_parquet(out, columns=["dropped_by"]))
    table = Table("pairs", "count")
    for name, count in {"kept": counts.kept, **counts.dropped}.items():
        table.add_row(name.replace("_", " "), f"{count:,}")
    console = Console()
    console.print(table)
    if counts.kept:
        share = focal_share(pl.scan_parquet(tokens_beside(out)))
        console.print(f"focal share of y-: {share:.1%}")
        if made.focus:
            console.print(f"of which on lines that no test reaches: {made.focus.share:.1%}")
        for lines in difference_sizes(out):
            low, middle, high = (lines.quantile(share) for share in (0.0, 0.5, 1.0))
            console.print(
                f"{lines.name}: {lines.mean:.1f} lines a pair ({low} to {high}, median {middle})"
            )
    if made.by_problem:
        for line in told(made.by_problem, SHOWN):
            console.print(line, soft_wrap=True, markup=False, highlight=False)
    console.print(f"pairs: {out}\ntokens: {tokens_beside(out)}", soft_wrap=True)


def _write_page(out: Path, page: Path, inputs: PairInputs, made: Made) -> None:
    from iterpref_assets.core.pages.pairs import write_pairs_page

    problems = [inputs.problems] if inputs.problems else []
    write_pairs_page([out], problems, page, f"Preference pairs: {out.name}", made.by_problem)
    Console().print(f"page: {page}", soft_wrap=True)
