"""Which suite a caller without settings asks for: `iterpref generate`, `evaluate`, `sanitize`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.benchmark_config import (
    OFFICIAL,
    BenchmarkName,
    BigCodeConfig,
    ContestConfig,
    PlusConfig,
)
from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeSplit, BigCodeSubset
from iterpref_assets.core.evaluation.config import JudgingLimits
from iterpref_assets.core.evaluation.evalplus.data import PlusBenchmark
from iterpref_assets.core.evaluation.livecodebench.data import LATEST_RELEASE
from iterpref_assets.core.evaluation.livecodebench.sources import ContestRules

if TYPE_CHECKING:
    from iterpref_assets.core.evaluation.suite import Suite

_PLUS = (BenchmarkName.HUMANEVAL, BenchmarkName.MBPP)
_BIGCODE = (BenchmarkName.BIGCODEBENCH,)
_CONTESTS = (BenchmarkName.LIVECODEBENCH,)
_OF_SOME = {
    "split": ("--split", _BIGCODE),
    "subset": ("--subset", _BIGCODE),
    "libraries": ("--libraries", _BIGCODE),
    "since": ("--from", _CONTESTS),
    "until": ("--to", _CONTESTS),
    "release": ("--release", _CONTESTS),
    "rules": ("--rules", _CONTESTS),
    "examples": ("--examples", _CONTESTS),
    "base_only": ("--base-only", _PLUS),
    "reference_factor": ("--reference-factor", _PLUS),
}
"""The option of each field that only some benchmarks know, and these."""


@dataclass(frozen=True, slots=True)
class SuiteOptions:
    """A benchmark and how it is to be asked and judged.

    Attributes:
        benchmark: the benchmark.
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

    Raises:
        InputError: where a field is given that the benchmark would ignore.
    """

    benchmark: BenchmarkName
    data: Path | None = None
    split: BigCodeSplit = BigCodeSplit.COMPLETE
    subset: BigCodeSubset = BigCodeSubset.FULL
    libraries: Path | None = None
    since: date | None = None
    until: date | None = None
    release: int = LATEST_RELEASE
    rules: ContestRules = ContestRules.STRICT
    examples: Path | None = None
    base_only: bool = False
    seconds: float | None = None
    reference_factor: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            option, owners = _OF_SOME.get(field.name, ("", ()))
            is_given = getattr(self, field.name) != field.default
            if option and is_given and self.benchmark not in owners:
                raise InputError(
                    f"{option} is for {' and '.join(owners)} only", remedy="Leave it out"
                )

    def open(self, cache: Path) -> Suite:
        """The benchmark, loaded; what was loaded before is read faster from `cache`.

        Raises:
            InputError: where the data is missing, malformed or cannot be fetched.
        """
        limits = JudgingLimits(seconds=self.seconds, reference_factor=self.reference_factor)
        data = self.data or OFFICIAL
        if self.benchmark in _BIGCODE:
            bigcode = BigCodeConfig(data=data, libraries=self.libraries)
            return bigcode.open(self.split, self.subset, limits)
        if self.benchmark in _CONTESTS:
            return ContestConfig(
                data=data,
                release=self.release,
                rules=self.rules,
                examples=self.examples,
                since=self.since,
                until=self.until,
            ).open(limits)
        plus = PlusConfig(data=data)
        return plus.open(PlusBenchmark(self.benchmark), cache, limits, base_only=self.base_only)
