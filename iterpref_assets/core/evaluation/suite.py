"""One benchmark's data with all that is the benchmark's own, behind one protocol."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from pydantic import JsonValue

from iterpref_assets.core.evaluation.config import OWN_LIMITS, JudgingLimits
from iterpref_assets.core.evaluation.scores import Statuses
from iterpref_assets.core.evaluation.tasks import EvaluationTask, PromptStyle, Question
from iterpref_assets.core.records import Record
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution

CHECK_DATA = "Check that the data file is unchanged"
JUDGING = 2
"""Raised whenever programs of several benchmarks may come to another verdict than before."""

JudgeT_contra = TypeVar("JudgeT_contra", contravariant=True)


class DataSource(Record):
    """Which benchmark, by content; md5 is the checksum that evalplus reports."""

    benchmark: str
    sha256: str
    md5: str


@dataclass(frozen=True)
class Facts:
    """What is known of a benchmark as soon as it is loaded; mappings are by task_id.

    Attributes:
        source: which data, by content.
        prompts: for every task, in the data's order, what a sample's `completion` continues.
        groups: the group, such as a difficulty, that a task is also summed up in.
        references: the reference programs there are.
        missing: why tasks cannot run here, as far as that is known before anything runs.
        libraries: the versions of the libraries that programs may import, by name.
        rules: by which of several sets of rules programs are judged, "" where there is one.
        limits: limits in place of the benchmark's own.
        program_limits: what one program may use, where no benchmark fixes it.
        remedy: what to check where a reference solution fails for no known reason.
        judging: the version of all that decides verdicts; results of another one are stale.
    """

    source: DataSource
    prompts: Mapping[str, str]
    groups: Mapping[str, str] = field(default_factory=dict[str, str])
    references: Mapping[str, str] = field(default_factory=dict[str, str])
    missing: Mapping[str, str] = field(default_factory=dict[str, str])
    libraries: Mapping[str, str] = field(default_factory=dict[str, str])
    rules: str = ""
    limits: JudgingLimits = OWN_LIMITS
    program_limits: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    remedy: str = CHECK_DATA
    judging: int = JUDGING


def _no_fault(_task_id: str, _statuses: Statuses) -> Statuses | None:
    return None


@dataclass(frozen=True)
class PreparedBenchmark(Generic[JudgeT_contra]):
    """A benchmark that samples can be scored on.

    Attributes:
        source: which data it was loaded from.
        tasks: by task_id, in the benchmark's order.
        not_run: why tasks cannot run here, by task_id.
        groups: the group, such as a difficulty, that a task is also summed up in, by task_id.
        libraries: the versions of the libraries that programs may import, by name.
        rules: as in `Facts`.
        limits: as in `Facts`.
        program_limits: as in `Facts`.
        cpu_seconds: what the reference solution takes, by task_id, where it is known.
        listed_fault: what the official harness says where a listed fault of its makes it differ.
        judging: as in `Facts`.
    """

    source: DataSource
    tasks: Mapping[str, EvaluationTask[JudgeT_contra]]
    not_run: Mapping[str, str] = field(default_factory=dict[str, str])
    groups: Mapping[str, str] = field(default_factory=dict[str, str])
    libraries: Mapping[str, str] = field(default_factory=dict[str, str])
    rules: str = ""
    limits: JudgingLimits = OWN_LIMITS
    program_limits: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    cpu_seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    listed_fault: Callable[[str, Statuses], Statuses | None] = _no_fault
    judging: int = JUDGING


class Suite(Protocol):
    """A loaded benchmark: what it asks, how answers are judged, what references may fail for."""

    @property
    def facts(self) -> Facts:
        """What is known without running anything."""
        ...

    def open_sandbox(self, workers: int, *, wait: bool = True) -> Sandbox:
        """A sandbox with what the programs may import; `wait` is as in `Sandbox`."""
        ...

    def questions(self, style: PromptStyle) -> Mapping[str, Question]:
        """What every task asks, by task_id in the data's order; nothing is run for it.

        Raises:
            InputError: where the benchmark cannot be asked in this style.
        """
        ...

    def tasks(
        self, style: PromptStyle, sandbox: Sandbox, cache: Path, workers: int
    ) -> Mapping[str, EvaluationTask[Sandbox]]:
        """Every task by task_id; what takes long to prepare is kept in `cache` between runs.

        Raises:
            InputError: where the benchmark cannot be asked in this style.
        """
        ...

    def program(self, task_id: str, answer: str) -> str:
        """The program in a chat's answer to a task; "" where it holds none."""
        ...

    def why_not_run(self, task_id: str, execution: Execution) -> str:
        """Why a reference that failed so cannot pass here, or "" where nothing here is to blame."""
        ...

    def ready(
        self, sandbox: Sandbox, cache: Path, workers: int, names: Collection[str]
    ) -> PreparedBenchmark[Sandbox]:
        """The tasks of these names to score samples on, their reference solutions having been run.

        Raises:
            InputError: where a reference solution fails for no known reason.
        """
        ...
