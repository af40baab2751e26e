"""From trajectory files to a pair table and its tokens, for `iterpref pairs`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl
from rich.console import Console
from rich.table import Column, Table

from iterpref_assets.core import tables
from iterpref_assets.core.decontamination.refusal import BenchmarkSource
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import replacing
from iterpref_assets.core.pairs.config import JudgeConfig, PairConfig
from iterpref_assets.core.progress import track
from iterpref_assets.core.sandbox.verdicts import Verdict

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from iterpref_assets.core.decontamination.items import BenchmarkItem

VERSIONS_SUFFIX, RELEASE_SUFFIX = ".parquet", ".json"


def tokens_beside(pairs: Path) -> Path:
    """Where `iterpref pairs` writes the ids and masks of the pairs in `pairs`."""
    return pairs.with_suffix(f".tokens{pairs.suffix}")


def answers_beside(pairs: Path) -> Path:
    """Where `iterpref pairs --judge` keeps what the judge answered."""
    return pairs.with_suffix(".judge.jsonl")


def make_pairs(
    files: list[Path],
    problems: Path | None,
    tokenizer: PreTrainedTokenizerFast,
    config: PairConfig,
    out: Path,
    benchmarks: list[Path],
) -> dict[str, str]:
    """Write the pairs of `files` to `out`, and their tokens beside it.

    Args:
        files: LLMDebugger's JSON lines, or one version table, or the authors' release.
        problems: the problem table that goes with a version table.
        tokenizer: of the model to train.
        config: how pairs are made, and who is asked about them.
        out: the pair table.
        benchmarks: published files of what the pairs are kept clear of.

    Returns:
        The source of each problem by its id; nothing for the authors' release, which names none.

    Raises:
        InputError: where an input cannot be used.
    """
    sources: dict[str, str] = {}
    inputs = [(file, "--trajectories") for file in files]
    inputs += [(problems, "--problems")] if problems else []
    _refuse_same_names(inputs, "another input has this name")
    _refuse_same_names(
        [(file, "--benchmark") for file in benchmarks], "another benchmark has this name"
    )
    items = _items(benchmarks)
    with TemporaryDirectory(prefix="iterpref-pairs-") as name:
        built = Path(name) / "built.parquet"
        if files[0].suffix == RELEASE_SUFFIX:
            _import(_only(files), config, built)
        else:
            versions, problems = _tables(files, problems, Path(name))
            _build(versions, problems, config, built)
            sources = _sources(problems)
        if items:
            built = _keep_clear(built, items, Path(name))
        if config.judge:
            built = _judge(built, config.judge, answers_beside(out), Path(name))
        _tokenize(built, tokenizer, config, out)
    return sources


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer in a folder.

    Raises:
        InputError: where there is none, or it gives no character offsets or end-of-turn token.
    """
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
    from iterpref_assets.core.frames import problems_to_frame
    from iterpref_assets.core.pairs.llmdebugger import (
        PACKAGES,
        disagreements,
        execute,
        read_trajectories,
    )
    from iterpref_assets.core.sandbox.sandbox import Sandbox

    recorded = read_trajectories(files)
    programs = recorded.versions.height
    with Sandbox(packages=PACKAGES) as sandbox, track("programs run", programs) as tracker:
        executed = execute(recorded, sandbox.judge, on_rows=tracker.advance)
    _print_disagreements(recorded.claims.height, executed, disagreements(recorded, executed))
    versions, problems = work / "versions.parquet", work / "problems.parquet"
    tables.write_table(executed, tables.VERSIONS, versions)
    tables.write_table(problems_to_frame(recorded.problems), tables.PROBLEMS, problems)
    return versions, problems


def _print_disagreements(trajectories: int, executed: pl.DataFrame, found: pl.DataFrame) -> None:
    passed = executed.filter(pl.col("verdict") == Verdict.PASSED.value).height
    console = Console()
    console.print(
        f"{trajectories:,} trajectories, {executed.height:,} programs run again, {passed:,} of "
        f"which pass; {found.height} trajectories do not do what was recorded"
    )
    if found.is_empty():
        return
    table = Table(Column("trajectory", overflow="fold"), "recorded", "here")
    for name, is_solved, verdict, error_type in found.iter_rows():
        here = " ".join(part for part in (verdict, error_type) if part)
        table.add_row(name, "solved" if is_solved else "not solved", here)
    console.print(table)


def _import(release: Path, config: PairConfig, built: Path) -> None:
    from iterpref_assets.core.pairs.formats import read_target_dpo

    tables.write_table(read_target_dpo(release, config), tables.PAIRS, built)


def _build(versions: Path, problems: Path, config: PairConfig, built: Path) -> None:
    from iterpref_assets.core.pairs.streaming import build_pair_file, row_count

    tables.check_table(versions, tables.VERSIONS)
    with track("versions paired", row_count(versions)) as tracker:
        build_pair_file(versions, problems, config, built, on_rows=tracker.advance)


def _sources(problems: Path) -> dict[str, str]:
    frame = pl.read_parquet(problems, columns=["problem_id", "source"])
    return dict(frame.with_columns(pl.col("source").fill_null("")).iter_rows())


def _items(benchmarks: list[Path]) -> list[BenchmarkItem]:
    from iterpref_assets.core.decontamination.items import read_items

    return [item for file in benchmarks for item in read_items(file)]


def _refuse_same_names(given: list[tuple[Path, str]], problem: str) -> None:
    """The manifest names files without their folders; each comes with its option."""
    seen: set[str] = set()
    for file, field in given:
        if file.name in seen:
            raise InputError(
                problem,
                file=file,
                field=field,
                remedy="Name each file once, and rename one of two that are called the same",
            )
        seen.add(file.name)


def _keep_clear(built: Path, items: list[BenchmarkItem], work: Path) -> Path:
    from iterpref_assets.core.pairs.overlap import drop_overlapping
    from iterpref_assets.core.pairs.streaming import row_count

    out = work / "clear.parquet"
    with track("pairs compared", row_count(built)) as tracker:
        drop_overlapping(built, items, out, on_rows=tracker.advance)
    return out


def judge_of_settings() -> JudgeConfig:
    """The judge that the settings name.

    Raises:
        InputError: where they name none.
    """
    from iterpref_assets.settings import load_settings

    judge = load_settings().pairs.judge
    if judge is None:
        raise InputError(
            "the settings name no judge",
            field="pairs.judge",
            remedy="Set its engine and model, or leave out --judge",
        )
    return judge


def _judge(built: Path, judge: JudgeConfig, answers: Path, work: Path) -> Path:
    from iterpref_assets.core.engines.opening import open_engine
    from iterpref_assets.core.pairs.judge import JudgeOutcome, judge_pair_file
    from iterpref_assets.core.pairs.streaming import row_count

    out = work / "judged.parquet"

    async def run() -> JudgeOutcome:
        with track("pairs judged", row_count(built)) as tracker:
            async with open_engine(judge.engine, judge.model) as engine:
                return await judge_pair_file(
                    built,
                    engine,
                    judge,
                    answers,
                    pairs_out=out,
                    judgements_out=work / "judgements.parquet",
                    on_rows=tracker.advance,
                )

    outcome = asyncio.run(run())
    told = ", ".join(
        f"{name.replace('_', ' ')} {count:,}" for name, count in outcome.answers.items()
    )
    Console().print(f"judge: {told} ({outcome.asked:,} asked now)")
    return out


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


def write_pair_manifest(
    out: Path,
    files: list[Path],
    config: PairConfig,
    sources: dict[str, str],
    benchmarks: list[Path],
    allow_training_on: list[BenchmarkSource],
) -> None:
    """Write the manifest beside the pairs, and say so where `iterpref train` refuses them.

    Args:
        out: the pair table.
        files: what it was made of.
        config: how it was made.
        sources: of its problems, by their ids.
        benchmarks: published files of what it was kept clear of.
        allow_training_on: the override.
    """
    from iterpref_assets.core.pairs.manifest import write_manifest

    ids = pl.read_parquet(out, columns=["problem_id"])["problem_id"]
    manifest = write_manifest(
        out,
        {name: sources.get(name, "") for name in ids},
        made_of=files,
        compared_with=benchmarks,
        config=config,
        allow_training_on=allow_training_on,
    )
    if refused := manifest.refused_sources():
        named = " and ".join(manifest.benchmark_tasks)
        told = " and ".join(source or "an unknown source" for source in refused)
        Console().print(
            f"pairs of {named} tasks from {told}: `iterpref train` refuses them", soft_wrap=True
        )
