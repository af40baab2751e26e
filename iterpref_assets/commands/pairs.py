"""`iterpref pairs` and `iterpref export`: preference pairs without Dagster."""

from __future__ import annotations

import logging
import sys
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from iterpref_assets.core import tables
from iterpref_assets.core.decontamination.refusal import BenchmarkSource
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import replacing
from iterpref_assets.core.pairs.config import Difference, Negatives, PairConfig
from iterpref_assets.core.progress import track

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VERSIONS_SUFFIX, RELEASE_SUFFIX = ".parquet", ".json"


class ExportFormat(StrEnum):
    """What `iterpref export` writes."""

    TARGET_DPO = "target-dpo"
    TRL = "trl"


def tokens_beside(pairs: Path) -> Path:
    """Where `iterpref pairs` writes the ids and masks of the pairs in `pairs`."""
    return pairs.with_suffix(f".tokens{pairs.suffix}")


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
        Negatives, typer.Option(help="Which failing version is rejected.")
    ] = Negatives.RANDOM,
    difference: Annotated[
        Difference, typer.Option(help="How D+ and D- are found.")
    ] = Difference.LCS,
    seed: Annotated[int, typer.Option(help="Of the random choice of negatives.")] = 0,
    allow_training_on: Annotated[
        list[BenchmarkSource] | None,
        typer.Option(
            help="Let `iterpref train` use pairs that solve benchmark tasks; kept in the manifest."
        ),
    ] = None,
) -> None:
    """Build preference pairs with focal masks from debugging trajectories.

    Writes every candidate pair with the filter that dropped it to OUT, and beside it the ids and
    masks of the kept ones (OUT with .tokens before its suffix) and a manifest (.manifest.json).
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    config = PairConfig(negatives=negatives, difference=difference, seed=seed)
    files = [*trajectories, *(more_trajectories or [])]
    if out.suffix != ".parquet":
        raise InputError("not a Parquet file", file=out, remedy="End --out in .parquet")
    loaded = _load_tokenizer(tokenizer)
    with TemporaryDirectory(prefix="iterpref-pairs-") as name:
        built = Path(name) / "built.parquet"
        if files[0].suffix == RELEASE_SUFFIX:
            _import(_only(files), config, built)
        else:
            _build(*_tables(files, problems, Path(name)), config, built)
        _tokenize(built, loaded, config, out)
    _write_manifest(out, files, config, allow_training_on or [])
    _print_summary(out)


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
    from iterpref_assets.core.pairs.exchange import write_target_dpo, write_trl

    table = tables.read_table(pair_table, tables.PAIRS)
    if format_ is ExportFormat.TARGET_DPO:
        count = write_target_dpo(table, out)
    else:
        file = tokens or tokens_beside(pair_table)
        count = write_trl(table, tables.read_table(file, tables.TOKENIZED_PAIRS), out)
    Console().print(f"{count:,} pairs in {out}", soft_wrap=True)


def _load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    from transformers import AutoTokenizer

    from iterpref_assets.core.pairs.tokenization import end_token_id

    if not folder.is_dir():
        raise InputError("no such folder", file=folder, remedy="Give a folder with tokenizer.json")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise InputError(first, file=folder, remedy="Give a folder with tokenizer.json") from None
    end_token_id(tokenizer)
    return tokenizer


def _tables(files: list[Path], problems: Path | None, work: Path) -> tuple[Path, Path]:
    """The version and problem tables: given, or made by running what was recorded."""
    if files[0].suffix != VERSIONS_SUFFIX:
        return _execute(files, work)
    versions = _only(files)
    if problems is None:
        raise InputError(
            "a version table has no prompts",
            field="--problems",
            remedy="Give the problem table that the trajectories were made from",
        )
    return versions, problems


def _only(files: list[Path]) -> Path:
    if len(files) > 1:
        raise InputError("more than one file of this kind", file=files[1], remedy="Give one")
    return files[0]


def _execute(files: list[Path], work: Path) -> tuple[Path, Path]:
    from iterpref_assets.core.pairs.llmdebugger import disagreements, execute, read_trajectories
    from iterpref_assets.core.sandbox.sandbox import Sandbox
    from iterpref_assets.core.seeds.frames import problems_to_frame

    recorded = read_trajectories(files)
    programs = recorded.versions.height
    with Sandbox() as sandbox, track("programs run", programs) as tracker:
        executed = execute(recorded, sandbox.judge, on_rows=tracker.advance)
    Console().print(
        f"{recorded.claims.height:,} trajectories, {programs:,} programs run again; "
        f"{disagreements(recorded, executed).height} trajectories do not do what was recorded"
    )
    versions, problems = work / "versions.parquet", work / "problems.parquet"
    tables.write_table(executed, tables.VERSIONS, versions)
    tables.write_table(problems_to_frame(recorded.problems), tables.PROBLEMS, problems)
    return versions, problems


def _import(release: Path, config: PairConfig, built: Path) -> None:
    from iterpref_assets.core.pairs.exchange import read_target_dpo

    tables.write_table(read_target_dpo(release, config), tables.PAIRS, built)


def _build(versions: Path, problems: Path, config: PairConfig, built: Path) -> None:
    from iterpref_assets.core.pairs.streaming import build_pair_file, row_count

    tables.check_table(versions, tables.VERSIONS)
    with track("versions paired", row_count(versions)) as tracker:
        build_pair_file(versions, problems, config, built, on_rows=tracker.advance)


def _tokenize(
    built: Path, tokenizer: PreTrainedTokenizerFast, config: PairConfig, out: Path
) -> None:
    from iterpref_assets.core.pairs.streaming import row_count, tokenize_pair_files

    with (
        replacing(out) as pairs_out,
        replacing(tokens_beside(out)) as tokens_out,
        track("pairs tokenized", row_count(built)) as tracker,
    ):
        tokenize_pair_files(
            [built],
            tokenizer,
            config,
            pairs_out=pairs_out,
            tokens_out=tokens_out,
            on_rows=tracker.advance,
        )


def _write_manifest(
    out: Path, files: list[Path], config: PairConfig, allow_training_on: list[BenchmarkSource]
) -> None:
    from iterpref_assets.core.pairs.manifest import write_manifest

    ids = pl.read_parquet(out, columns=["problem_id"])["problem_id"]
    manifest = write_manifest(
        out, ids, made_of=files, config=config, allow_training_on=allow_training_on
    )
    if manifest.benchmark_tasks and not manifest.allow_training_on:
        named = " and ".join(manifest.benchmark_tasks)
        Console().print(f"pairs of {named} tasks: `iterpref train` refuses them", soft_wrap=True)


def _print_summary(out: Path) -> None:
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
    console.print(f"pairs: {out}\ntokens: {tokens_beside(out)}", soft_wrap=True)
