"""Which benchmarks to score and where their data lies, as plain settings that open suites.

Loading these imports no benchmark's own packages; `open` does.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, JsonValue

from iterpref_assets.core.digests import file_sha256
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.bigcodebench.data import (
    HARD_IDS,
    BigCodeBenchSplit,
    BigCodeBenchSubset,
)
from iterpref_assets.core.evaluation.config import OWN_LIMITS, JudgingLimits
from iterpref_assets.core.evaluation.evalplus.data import EvalPlusBenchmark
from iterpref_assets.core.evaluation.livecodebench.data import LATEST_RELEASE
from iterpref_assets.core.evaluation.livecodebench.sources import LiveCodeBenchRules
from iterpref_assets.core.records import Record

if TYPE_CHECKING:
    from iterpref_assets.core.evaluation.suite import Suite

OFFICIAL = "official"


class BenchmarkName(StrEnum):
    """The benchmarks there are."""

    HUMANEVAL = "humaneval"
    MBPP = "mbpp"
    BIGCODEBENCH = "bigcodebench"
    LIVECODEBENCH = "livecodebench"


class BenchmarkConfig(Record):
    """What every benchmark is configured by."""

    data: Literal["official"] | Path = Field(
        description='The published file, or "official" for its source on the network'
    )

    @property
    def path(self) -> Path | None:
        """The file, None for the official source."""
        return self.data if isinstance(self.data, Path) else None

    def identity(self) -> dict[str, JsonValue]:
        """What a plan records: the files by content.

        Raises:
            InputError: where a file is missing.
        """
        return {"data": OFFICIAL if self.path is None else _digest(self.path)}


class EvalPlusConfig(BenchmarkConfig):
    """HumanEval+ or MBPP+."""

    def identity(self) -> dict[str, JsonValue]:
        """The file and the versions of the libraries that programs may import."""
        from iterpref_assets.core.evaluation.evalplus.data import library_versions

        return {**super().identity(), "libraries": {**library_versions()}}

    def open(
        self,
        benchmark: EvalPlusBenchmark,
        cache: Path | None = None,
        limits: JudgingLimits = OWN_LIMITS,
        *,
        base_only: bool = False,
    ) -> Suite:
        """The benchmark, loaded; a file that was loaded before is read faster from `cache`.

        Raises:
            InputError: where the data is missing, malformed or cannot be fetched.
        """
        from iterpref_assets.core.evaluation.evalplus.data import load_evalplus, load_evalplus_again
        from iterpref_assets.core.evaluation.evalplus.suite import EvalPlusSuite

        if self.path is None or cache is None:
            data = load_evalplus(benchmark, self.path)
        else:
            data = load_evalplus_again(benchmark, self.path, cache)
        return EvalPlusSuite(data, limits, base_only=base_only)


class BigCodeBenchConfig(BenchmarkConfig):
    """BigCodeBench; beside a file lies the list of hard tasks, `bigcodebench_hard_ids.json`."""

    libraries: Path | None = Field(
        None,
        description="Folder of what programs may import: "
        "pip install --target FOLDER -r requirements/bigcodebench.txt",
    )

    def identity(self) -> dict[str, JsonValue]:
        """The files and the libraries' versions."""
        from iterpref_assets.core.evaluation.bigcodebench.libraries import installed_versions

        hard = None if self.path is None else _digest(self.path.with_name(HARD_IDS))
        versions: dict[str, JsonValue] = {**installed_versions(self.libraries)}
        return {**super().identity(), "hard": hard, "libraries": versions}

    def open(
        self,
        split: BigCodeBenchSplit = BigCodeBenchSplit.COMPLETE,
        subset: BigCodeBenchSubset = BigCodeBenchSubset.FULL,
        limits: JudgingLimits = OWN_LIMITS,
    ) -> Suite:
        """The benchmark, loaded, to be asked in one of the two ways.

        Raises:
            InputError: where the data is missing, malformed or cannot be fetched.
        """
        from iterpref_assets.core.evaluation.bigcodebench.data import load_bigcodebench
        from iterpref_assets.core.evaluation.bigcodebench.suite import BigCodeBenchSuite

        return BigCodeBenchSuite(
            load_bigcodebench(self.path, subset), split, self.libraries, limits
        )


class LiveCodeBenchConfig(BenchmarkConfig):
    """LiveCodeBench, the contests from `since` to `until`, both included."""

    release: int = Field(
        LATEST_RELEASE, ge=1, le=LATEST_RELEASE, description="Release of the official source"
    )
    since: date | None = Field(None, description="First day of the contests, included")
    until: date | None = Field(None, description="Last day of the contests, included")
    rules: LiveCodeBenchRules = Field(
        LiveCodeBenchRules.STRICT,
        description="Run programs as scripts (strict), or as the official runner does (official)",
    )
    solutions: Path | None = Field(
        default=None, description="Solutions in the form of a samples file; the data holds none"
    )
    examples: Path | None = Field(
        default=None,
        description="Folder of the official func.json and stdin.json, which base models are shown",
    )

    def identity(self) -> dict[str, JsonValue]:
        """The files, the window and the rules."""
        from iterpref_assets.core.evaluation.livecodebench.suite import library_versions

        solutions = None if self.solutions is None else _digest(self.solutions)
        names = ("func.json", "stdin.json")
        examples = None if self.examples is None else [_digest(self.examples / n) for n in names]
        window: list[JsonValue] = [day and day.isoformat() for day in (self.since, self.until)]
        return {
            **super().identity(),
            "release": self.release if self.path is None else None,
            "rules": self.rules.value,
            "libraries": {**library_versions()},
            "window": window,
            "solutions": solutions,
            "examples": [*examples] if examples else None,
        }

    def open(self, limits: JudgingLimits = OWN_LIMITS) -> Suite:
        """The benchmark, loaded.

        Raises:
            InputError: where the data is missing, malformed or cannot be fetched, or the window
                holds no contest.
        """
        from iterpref_assets.core.evaluation.livecodebench.data import load_livecodebench
        from iterpref_assets.core.evaluation.livecodebench.prompts import load_examples
        from iterpref_assets.core.evaluation.livecodebench.suite import LiveCodeBenchSuite
        from iterpref_assets.core.evaluation.samples import read_samples

        everything = load_livecodebench(self.path, self.release)
        data = everything.within(self.since, self.until)
        references: dict[str, str] = {}
        if self.solutions is not None:
            prompts = dict.fromkeys(everything.problems, "")
            solutions = read_samples(self.solutions, prompts).samples
            references = {each.task_id: each.code for each in solutions}
        examples = None if self.examples is None else load_examples(self.examples)
        return LiveCodeBenchSuite(data, references, examples, self.rules, limits)


class BenchmarksConfig(Record):
    """The benchmarks that are scored besides held-out problems: those that are given here."""

    humaneval: EvalPlusConfig | None = Field(None, description="Score on HumanEval+")
    mbpp: EvalPlusConfig | None = Field(None, description="Score on MBPP+")
    bigcodebench: BigCodeBenchConfig | None = Field(None, description="Score on BigCodeBench")
    livecodebench: LiveCodeBenchConfig | None = Field(None, description="Score on LiveCodeBench")
    base_prompts: tuple[str, ...] = Field(
        (),
        description="Base models that are asked as base models, with bare text to continue, before "
        "they are trained, though their tokenizer has a chat template",
    )

    def names(self) -> tuple[BenchmarkName, ...]:
        """The benchmarks that are given, in the order they are listed here."""
        return tuple(name for name in BenchmarkName if getattr(self, name) is not None)

    def config(
        self, name: BenchmarkName
    ) -> EvalPlusConfig | BigCodeBenchConfig | LiveCodeBenchConfig:
        """One benchmark's settings.

        Raises:
            InputError: where it is not given.
        """
        found = getattr(self, name)
        if found is None:
            raise InputError(
                f"{name} is not among the benchmarks",
                field="benchmarks",
                remedy=f'Set benchmarks.{name}.data to its file or to "{OFFICIAL}"',
            )
        return found

    def open(
        self, name: BenchmarkName, split: BigCodeBenchSplit = BigCodeBenchSplit.COMPLETE
    ) -> Suite:
        """One benchmark, loaded; `split` says how BigCodeBench is to be asked.

        Raises:
            InputError: where it is not given, or its data is missing or malformed.
        """
        match self.config(name):
            case EvalPlusConfig() as evalplus:
                return evalplus.open(EvalPlusBenchmark(name))
            case BigCodeBenchConfig() as bigcodebench:
                return bigcodebench.open(split)
            case LiveCodeBenchConfig() as livecodebench:
                return livecodebench.open()


def _digest(path: Path) -> str:
    if not path.is_file():
        raise InputError(
            "no such file",
            file=path,
            field="benchmarks",
            remedy=f'Correct the setting, or set the data to "{OFFICIAL}"',
        )
    return file_sha256(path)
