"""From trajectory files to a pair table, its tokens and its manifest, outside Dagster.

`steps/pairs.py` calls the same functions on files (`build_pair_file`, `judge_pair_file`,
`tokenize_pair_files`) as two assets, shard by shard. Here the input may be recorded trajectories,
which are run first, or finished pairs; there it is always what the store holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.decontamination.items import BenchmarkItem, read_items
from iterpref_assets.core.decontamination.refusal import BenchmarkSource
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import replacing
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.pairs.by_problem import ProblemFiles, ProblemPairs, pairs_by_problem
from iterpref_assets.core.pairs.config import JudgeConfig, PairConfig
from iterpref_assets.core.pairs.doubt import doubtful_problems
from iterpref_assets.core.pairs.executions import ExecutionLog
from iterpref_assets.core.pairs.formats import read_target_dpo
from iterpref_assets.core.pairs.judge import JudgeOutcome, judge_pair_file
from iterpref_assets.core.pairs.manifest import PairManifest, write_manifest
from iterpref_assets.core.pairs.overlap import drop_overlapping
from iterpref_assets.core.pairs.recorded import (
    PACKAGES,
    disagreements,
    execute,
    read_trajectories,
)
from iterpref_assets.core.pairs.statistics import UnreachedFocus
from iterpref_assets.core.pairs.streaming import (
    build_pair_file,
    row_count,
    tokenize_pair_files,
    unreached_focus_of_file,
)
from iterpref_assets.core.pairs.token_files import tokens_beside
from iterpref_assets.core.progress import track
from iterpref_assets.core.sandbox.on_demand import judging
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits, Verdict

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VERSIONS_SUFFIX, RELEASE_SUFFIX = ".parquet", ".json"
_PACKED = (".gz", ".xz", ".zst")


@dataclass(frozen=True)
class PairInputs:
    """The files that pairs are made of and kept clear of.

    Attributes:
        trajectories: recorded ones as JSON lines, or one version table, or the authors' release.
        problems: the problem table that goes with a version table.
        benchmarks: published files of what the pairs are kept clear of.
    """

    trajectories: Sequence[Path]
    problems: Path | None = None
    benchmarks: Sequence[Path] = ()


@dataclass(frozen=True)
class RunAgain:
    """What came of running recorded trajectories.

    Attributes:
        trajectories, programs, passed: how many there are, and how many programs pass.
        disagreements: `disagreements` of the recorded claims.
        unusable: what is wrong with each line that was left out.
    """

    trajectories: int
    programs: int
    passed: int
    disagreements: pl.DataFrame
    unusable: list[InputError]


@dataclass
class Made:
    """What was made and seen on the way; None where that step did not take place.

    Attributes:
        executed: programs that ran now, and not in an earlier call.
        run_again: of recorded trajectories.
        judged: the judge's answers.
        doubtful: problems whose samples agree with each other against their tests.
        focus: focal lines, and those that no test reaches.
        sources: of each problem by its id; none for the authors' release.
        by_problem: what became of each problem; none for the authors' release.
    """

    executed: int = 0
    run_again: RunAgain | None = None
    judged: JudgeOutcome | None = None
    doubtful: pl.DataFrame | None = None
    focus: UnreachedFocus | None = None
    sources: dict[str, str] = field(default_factory=dict[str, str])
    by_problem: Sequence[ProblemPairs] = ()


def answers_beside(pairs: Path) -> Path:
    """Where what the judge answered about `pairs` is kept."""
    return pairs.with_suffix(".judge.jsonl")


def executions_beside(pairs: Path) -> Path:
    """Where verdicts are kept, for all pair tables of the folder."""
    return pairs.with_name("executions.jsonl")


def make_pairs(
    inputs: PairInputs, tokenizer: PreTrainedTokenizerFast, config: PairConfig, out: Path
) -> Made:
    """Write the pairs of `inputs` to `out`, and their tokens beside it.

    Args:
        inputs: the files.
        tokenizer: of the model to train.
        config: how pairs are made, and who is asked about them.
        out: the pair table.

    Raises:
        InputError: where an input cannot be used, or `out` does not end in .parquet.
    """
    if out.suffix != ".parquet":
        raise InputError("not a Parquet file", file=out, remedy="End --out in .parquet")
    _refuse_same_names(inputs)
    items = [item for file in inputs.benchmarks for item in read_items(file)]
    made = Made()
    with TemporaryDirectory(prefix="iterpref-pairs-") as name:
        work = Path(name)
        if _suffix(inputs.trajectories[0]) == RELEASE_SUFFIX:
            built, made_of = _imported(inputs, config, work), None
        else:
            built, made_of = _built(inputs, config, made, executions_beside(out), work)
        if items:
            built = _keep_clear(built, items, work)
        if config.judge:
            built, made.judged = _judged(built, config.judge, answers_beside(out), work)
        _tokenize(built, tokenizer, config, out)
        if made_of is not None:
            versions, problems = made_of
            tests = pl.read_parquet(problems, columns=["problem_id", "tests"])
            made.focus = unreached_focus_of_file(out, tests)
            made.by_problem = pairs_by_problem(ProblemFiles([problems], [versions], [out]))
    return made


def write_pair_manifest(
    out: Path,
    inputs: PairInputs,
    config: PairConfig,
    sources: dict[str, str],
    allow_training_on: Sequence[BenchmarkSource],
) -> PairManifest:
    """Write what the pairs in `out` consist of beside them."""
    ids = pl.read_parquet(out, columns=["problem_id"])["problem_id"]
    problems = [inputs.problems] if inputs.problems else []
    return write_manifest(
        out,
        {name: sources.get(name, "") for name in ids},
        made_of=[*inputs.trajectories, *problems],
        compared_with=inputs.benchmarks,
        config=config,
        allow_training_on=allow_training_on,
    )


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer in a folder.

    Raises:
        InputError: where there is none, or it gives no character offsets or end-of-turn token.
    """
    from transformers import AutoTokenizer

    from iterpref_assets.core.pairs.tokenization import require_usable

    if not folder.is_dir():
        raise InputError("no such folder", file=folder, remedy="Give a folder with tokenizer.json")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise InputError(first, file=folder, remedy="Give a folder with tokenizer.json") from None
    require_usable(tokenizer)
    return tokenizer


def _imported(inputs: PairInputs, config: PairConfig, work: Path) -> Path:
    built = work / "built.parquet"
    tables.write_table(read_target_dpo(_only(inputs), config), tables.PAIRS, built)
    return built


def _built(
    inputs: PairInputs, config: PairConfig, made: Made, log: Path, work: Path
) -> tuple[Path, tuple[Path, Path]]:
    """The pair table, and the version and problem tables that it is made of."""
    built = work / "built.parquet"
    with _execution_log(log) as judge:
        versions, problems = _tables(inputs, judge, made, work)
        tables.check_table(versions, tables.VERSIONS)
        with track("versions paired", row_count(versions)) as tracker:
            build_pair_file(versions, problems, config, built, judge=judge, on_rows=tracker.advance)
        made.executed = judge.executed
    frame = pl.read_parquet(problems, columns=["problem_id", "source"])
    made.sources = dict(frame.select("problem_id", pl.col("source").fill_null("")).iter_rows())
    made.doubtful = doubtful_problems([versions])
    return built, (versions, problems)


@contextmanager
def _execution_log(file: Path) -> Generator[ExecutionLog]:
    limits = Limits()
    with (
        judging(lambda: Sandbox(packages=PACKAGES), limits) as judge,
        ExecutionLog(file, judge, limits=limits, packages=PACKAGES) as log,
    ):
        yield log


def _tables(inputs: PairInputs, judge: ExecutionLog, made: Made, work: Path) -> tuple[Path, Path]:
    """The version and problem tables: given, or made by running what was recorded."""
    if _suffix(inputs.trajectories[0]) != VERSIONS_SUFFIX:
        return _run_again(inputs.trajectories, judge, made, work)
    versions = _only(inputs)
    if inputs.problems is None:
        raise InputError(
            "a version table has no prompts",
            field="--problems",
            remedy="Give the problem table that the trajectories were made from",
        )
    return versions, inputs.problems


def _run_again(
    files: Sequence[Path], judge: ExecutionLog, made: Made, work: Path
) -> tuple[Path, Path]:
    recorded = read_trajectories(files)
    with track("programs run", recorded.versions.height) as tracker:
        executed = execute(recorded, judge, on_rows=tracker.advance)
    made.run_again = RunAgain(
        trajectories=executed["trajectory_id"].n_unique(),
        programs=executed.height,
        passed=executed.filter(pl.col("verdict") == Verdict.PASSED.value).height,
        disagreements=disagreements(recorded, executed),
        unusable=recorded.unusable,
    )
    versions, problems = work / "versions.parquet", work / "problems.parquet"
    tables.write_table(executed, tables.VERSIONS, versions)
    tables.write_table(problems_to_frame(recorded.problems), tables.PROBLEMS, problems)
    return versions, problems


def _suffix(file: Path) -> str:
    """The ending that says what a file holds, packed or not."""
    return file.with_suffix("").suffix if file.suffix in _PACKED else file.suffix


def _only(inputs: PairInputs) -> Path:
    files = inputs.trajectories
    if len(files) > 1:
        raise InputError("more than one file of this kind", file=files[1], remedy="Give one")
    return files[0]


def _refuse_same_names(inputs: PairInputs) -> None:
    """The manifest names files without their folders."""
    given = [(file, "--trajectories") for file in inputs.trajectories]
    given += [(inputs.problems, "--problems")] if inputs.problems else []
    _refuse_repeated(given, "another input has this name")
    benchmarks = [(file, "--benchmark") for file in inputs.benchmarks]
    _refuse_repeated(benchmarks, "another benchmark has this name")


def _refuse_repeated(given: list[tuple[Path, str]], problem: str) -> None:
    seen: set[str] = set()
    for file, option in given:
        if file.name in seen:
            raise InputError(
                problem,
                file=file,
                field=option,
                remedy="Name each file once, and rename one of two that are called the same",
            )
        seen.add(file.name)


def _keep_clear(built: Path, items: list[BenchmarkItem], work: Path) -> Path:
    out = work / "clear.parquet"
    with track("pairs compared", row_count(built)) as tracker:
        drop_overlapping(built, items, out, on_rows=tracker.advance)
    return out


def _judged(
    built: Path, judge: JudgeConfig, answers: Path, work: Path
) -> tuple[Path, JudgeOutcome]:
    out = work / "judged.parquet"

    async def ask() -> JudgeOutcome:
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

    return out, asyncio.run(ask())


def _tokenize(
    built: Path, tokenizer: PreTrainedTokenizerFast, config: PairConfig, out: Path
) -> None:
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
