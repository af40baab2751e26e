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
from rich.table import Table

from iterpref_assets.commands.pair_making import (
    judge_of_settings,
    load_tokenizer,
    make_pairs,
    tokens_beside,
    write_pair_manifest,
)
from iterpref_assets.core import tables
from iterpref_assets.core.decontamination.refusal import BenchmarkSource
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import replacing
from iterpref_assets.core.pairs.config import Difference, Negatives, PairConfig

PAIRS_ON_PAGE = 100


class ExportFormat(StrEnum):
    """What `iterpref export` writes."""

    TARGET_DPO = "target-dpo"
    TRL = "trl"


def pairs(
    trajectories: Annotated[
        list[Path],
        typer.Option(
            help="LLMDebugger's JSON lines, gzipped or not (executed again), or one version table "
            "of this project (.parquet), or the authors' released pairs (.json)."
        ),
    ],
    tokenizer: Annotated[Path, typer.Option(help="Folder of a Hugging Face fast tokenizer.")],
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
            help="Which failing version is rejected; pass_rate pairs independent samples instead."
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
        typer.Option(help=f"HTML page of up to {PAIRS_ON_PAGE} kept pairs, side by side."),
    ] = None,
) -> None:
    """Build preference pairs with focal masks from debugging trajectories.

    Writes every candidate pair with the filter that dropped it to OUT, and beside it the ids and
    masks of the kept ones (OUT with .tokens before its suffix) and a manifest (.manifest.json).
    What a judge answered is kept there too (.judge.jsonl), so that nothing is asked twice.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    config = PairConfig(
        negatives=negatives,
        difference=difference,
        seed=seed,
        judge=judge_of_settings() if judge else None,
    )
    files = [*trajectories, *(more_trajectories or [])]
    if out.suffix != ".parquet":
        raise InputError("not a Parquet file", file=out, remedy="End --out in .parquet")
    loaded = load_tokenizer(tokenizer)
    benchmarks = benchmark or []
    sources = make_pairs(files, problems, loaded, config, out, benchmarks)
    inputs = files if problems is None else [*files, problems]
    write_pair_manifest(out, inputs, config, sources, benchmarks, allow_training_on or [])
    _print_summary(out)
    if page:
        _write_page(out, page)


def export(
    out: Annotated[Path, typer.Option(help="target-dpo: a .json file; trl: .parquet or .jsonl.")],
    pair_table: Annotated[
        Path, typer.Option("--pairs", help="Pair table that `iterpref pairs` wrote.")
    ],
    format_: Annotated[ExportFormat, typer.Option("--format", help="Whose format.")],
    tokens: Annotated[
        Path | None, typer.Option(help="Ids and masks (trl), by default the file beside --pairs.")
    ] = None,
) -> None:
    """Write kept pairs in the format of the authors' release, or for TRL with masks."""
    from iterpref_assets.core.pairs.formats import write_target_dpo, write_trl

    table = tables.read_table(pair_table, tables.PAIRS)
    if format_ is ExportFormat.TARGET_DPO:
        count = write_target_dpo(table, out)
    else:
        file = tokens or tokens_beside(pair_table)
        count = write_trl(table, tables.read_table(file, tables.TOKENIZED_PAIRS), out)
    Console().print(f"{count:,} pairs in {out}", soft_wrap=True)


def _print_summary(out: Path) -> None:
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
        for lines in difference_sizes(out):
            low, middle, high = (lines.quantile(share) for share in (0.0, 0.5, 1.0))
            console.print(
                f"{lines.name}: {lines.mean:.1f} lines a pair ({low} to {high}, median {middle})"
            )
    console.print(f"pairs: {out}\ntokens: {tokens_beside(out)}", soft_wrap=True)


def _write_page(out: Path, page: Path) -> None:
    from iterpref_assets.core.pairs.characteristics import drawn_pairs
    from iterpref_assets.core.reporting.side_by_side import pairs_page

    shown = drawn_pairs(out, PAIRS_ON_PAGE).sort("problem_id", "pair_id").to_dicts()
    with replacing(page) as partial:
        partial.write_text(pairs_page(shown, f"{len(shown)} kept pairs"), encoding="utf-8")
    Console().print(f"page: {page}", soft_wrap=True)
