"""One benchmark's data with all that is the benchmark's own, behind one protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from iterpref_assets.core.evaluation.batch import Benchmark
from iterpref_assets.core.evaluation.results import DataSource
from iterpref_assets.core.evaluation.tasks import EvaluationTask, PromptStyle
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution

CHECK_DATA = "Check that the data file is unchanged"


@dataclass(frozen=True)
class Facts:
    """What is known of a benchmark as soon as it is loaded; mappings are by task_id.

    Attributes:
        source: which data, by content.
        prompts: for every task, in the data's order, what a sample's `completion` continues.
        entry_points: what the program of a task defines; a task without one asks for a script.
        groups: the group, such as a difficulty, that a task is also summed up in.
        references: the reference programs there are.
        missing: why tasks cannot run here, as far as that is known before anything runs.
        libraries: the versions of the libraries that programs may import, by name.
        remedy: what to check where a reference solution fails without an excuse.
    """

    source: DataSource
    prompts: Mapping[str, str]
    entry_points: Mapping[str, str] = field(default_factory=dict[str, str])
    groups: Mapping[str, str] = field(default_factory=dict[str, str])
    references: Mapping[str, str] = field(default_factory=dict[str, str])
    missing: Mapping[str, str] = field(default_factory=dict[str, str])
    libraries: Mapping[str, str] = field(default_factory=dict[str, str])
    remedy: str = CHECK_DATA


class Suite(Protocol):
    """A loaded benchmark: what it asks, how answers are judged, what references may fail for."""

    @property
    def facts(self) -> Facts:
        """What is known without running anything."""
        ...

    def open_sandbox(self, workers: int) -> Sandbox:
        """A sandbox with what the programs may import."""
        ...

    def tasks(
        self, style: PromptStyle, sandbox: Sandbox, cache: Path, workers: int
    ) -> Mapping[str, EvaluationTask[Sandbox]]:
        """Every task by task_id; what takes long to prepare is kept in `cache` between runs.

        Raises:
            InputError: where the benchmark cannot be asked in this style.
        """
        ...

    def excuse(self, task_id: str, execution: Execution) -> str:
        """Why a reference that failed so cannot pass here, or "" where nothing here is to blame."""
        ...

    def ready(self, sandbox: Sandbox, cache: Path, workers: int) -> Benchmark[Sandbox]:
        """The benchmark to score samples on, its reference solutions having been run.

        Raises:
            InputError: where a reference solution fails without an excuse.
        """
        ...
