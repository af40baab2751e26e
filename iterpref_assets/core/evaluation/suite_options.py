"""Which suite a caller without settings asks for: `iterpref generate`, `evaluate`, `sanitize`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from iterpref_assets.core.conversations import PromptConfig
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.benchmark_config import (
    OFFICIAL,
    BenchmarkName,
    BigCodeBenchConfig,
    EvalPlusConfig,
    LiveCodeBenchConfig,
)
from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchSplit, BigCodeBenchSubset
from iterpref_assets.core.evaluation.config import JudgingLimits
from iterpref_assets.core.evaluation.evalplus.data import EvalPlusBenchmark
from iterpref_assets.core.evaluation.livecodebench.data import LATEST_RELEASE
from iterpref_assets.core.evaluation.livecodebench.sources import LiveCodeBenchRules
from iterpref_assets.core.sandbox.verdicts import Limits

if TYPE_CHECKING:
    from iterpref_assets.core.evaluation.suite import Suite

_PLUS = (BenchmarkName.HUMANEVAL, BenchmarkName.MBPP)
_BIGCODEBENCH = (BenchmarkName.BIGCODEBENCH,)
_LIVECODEBENCH = (BenchmarkName.LIVECODEBENCH,)
_PREFIXES = {
    BenchmarkName.HUMANEVAL: "HumanEval/",
    BenchmarkName.MBPP: "Mbpp/",
    BenchmarkName.BIGCODEBENCH: "BigCodeBench/",
}
_OF_SOME = {
    "data": ("--data", tuple(BenchmarkName)),
    "split": ("--split", _BIGCODEBENCH),
    "subset": ("--subset", _BIGCODEBENCH),
    "libraries": ("--libraries", _BIGCODEBENCH),
    "since": ("--from", _LIVECODEBENCH),
    "until": ("--to", _LIVECODEBENCH),
    "release": ("--release", _LIVECODEBENCH),
    "rules": ("--rules", _LIVECODEBENCH),
    "examples": ("--examples", _LIVECODEBENCH),
    "base_only": ("--base-only", _PLUS),
    "reference_factor": ("--reference-factor", _PLUS),
}
"""The option of each field that only some benchmarks know, and these."""


@dataclass(frozen=True, slots=True)
class OwnProblems:
    """A file of one's own problems, with what the settings say of such.

    Attributes:
        file: lines of records.Problem.
        prompts: how a model is asked.
        limits: what one program may use.
        packages: installed distributions that programs may import.
    """

    file: Path
    prompts: PromptConfig
    limits: Limits
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SuiteOptions:
    """A benchmark, or one's own problems, and how they are to be asked and judged.

    Attributes:
        benchmark: the benchmark; None for one's own problems.
        problems: one's own problems; None for a benchmark.
        data: its file, None for its official source.
        split: how BigCodeBench's tasks were asked.
        subset: which of BigCodeBench's tasks.
        libraries: the folder of what BigCodeBench's programs may import.
        since: the first day of LiveCodeBench's contests.
        until: the last day of LiveCodeBench's contests.
        release: LiveCodeBench's release, where `data` is None.
        rules: how LiveCodeBench's programs are run.
        examples: the folder of LiveCodeBench's solved examples, which base models are shown.
        base_only: whether the base tests of HumanEval or MBPP alone are run.
        seconds: CPU seconds in place of the benchmark's own.
        reference_factor: times the reference's time that a call of HumanEval or MBPP may take.
        memory_gib: GiB that a program may hold, in place of the benchmark's own.

    Raises:
        InputError: where not one of benchmark and problems is given, or a field that it would
            ignore.
    """

    benchmark: BenchmarkName | None
    problems: OwnProblems | None = None
    data: Path | None = None
    split: BigCodeBenchSplit = BigCodeBenchSplit.COMPLETE
    subset: BigCodeBenchSubset = BigCodeBenchSubset.FULL
    libraries: Path | None = None
    since: date | None = None
    until: date | None = None
    release: int = LATEST_RELEASE
    rules: LiveCodeBenchRules = LiveCodeBenchRules.STRICT
    examples: Path | None = None
    base_only: bool = False
    seconds: float | None = None
    reference_factor: float | None = None
    memory_gib: float | None = None

    def __post_init__(self) -> None:
        if (self.benchmark is None) == (self.problems is None):
            raise InputError("say what it is about", remedy="Give --benchmark or --problems")
        for field in fields(self):
            option, owners = _OF_SOME.get(field.name, ("", ()))
            is_given = getattr(self, field.name) != field.default
            if option and is_given and self.benchmark not in owners:
                raise InputError(
                    f"{option} is for {' and '.join(owners)} only", remedy="Leave it out"
                )

    @property
    def prefix(self) -> str:
        """What the benchmark's task_ids begin with; "" where they have nothing in common."""
        return "" if self.benchmark is None else _PREFIXES.get(self.benchmark, "")

    def open(self, cache: Path) -> Suite:
        """The benchmark, loaded; what was loaded before is read faster from `cache`.

        Raises:
            InputError: where the data is missing, malformed or cannot be fetched.
        """
        limits = JudgingLimits(
            seconds=self.seconds,
            reference_factor=self.reference_factor,
            memory_gib=self.memory_gib,
        )
        if self.problems is not None:
            return self._own(self.problems, limits)
        data = self.data or OFFICIAL
        if self.benchmark in _BIGCODEBENCH:
            bigcodebench = BigCodeBenchConfig(data=data, libraries=self.libraries)
            return bigcodebench.open(self.split, self.subset, limits)
        if self.benchmark in _LIVECODEBENCH:
            return LiveCodeBenchConfig(
                data=data,
                release=self.release,
                rules=self.rules,
                examples=self.examples,
                since=self.since,
                until=self.until,
            ).open(limits)
        plus = EvalPlusConfig(data=data)
        return plus.open(EvalPlusBenchmark(self.benchmark), cache, limits, base_only=self.base_only)

    def _own(self, problems: OwnProblems, limits: JudgingLimits) -> Suite:
        from iterpref_assets.core.evaluation.problem_suite import ProblemSuite

        return ProblemSuite(
            problems.file, problems.prompts, problems.limits, limits, problems.packages
        )
