"""HumanEval+ and MBPP+ as a suite: data, expected outputs, evalplus's listed faults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from iterpref_assets.core.evaluation.batch import Benchmark
from iterpref_assets.core.evaluation.evalplus.data import (
    SANDBOX_PACKAGES,
    PlusData,
    library_versions,
)
from iterpref_assets.core.evaluation.evalplus.expected import expected_outputs, require_complete
from iterpref_assets.core.evaluation.evalplus.tasks import PlusTask, plus_tasks
from iterpref_assets.core.evaluation.results import DataSource, Status, Statuses
from iterpref_assets.core.evaluation.suite import Facts
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.sandbox.outcomes import Runner
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution


class PlusSuite:
    """`Suite` of evalplus's tasks: every one can run anywhere, so no failure is excused."""

    def __init__(self, data: PlusData) -> None:
        self._data = data
        self.facts = Facts(
            DataSource(benchmark=data.benchmark.value, sha256=data.sha256, md5=data.md5),
            prompts={name: problem.prompt for name, problem in data.problems.items()},
            entry_points={name: each.entry_point for name, each in data.problems.items()},
            references={name: problem.reference for name, problem in data.problems.items()},
            libraries=library_versions(),
        )

    def open_sandbox(self, workers: int) -> Sandbox:
        """A sandbox with numpy and pandas."""
        return Sandbox(workers, packages=SANDBOX_PACKAGES)

    def tasks(
        self, style: PromptStyle, sandbox: Sandbox, cache: Path, workers: int
    ) -> Mapping[str, PlusTask]:
        """The tasks with expected outputs, computed by the references once and kept in `cache`."""
        expected = expected_outputs(self._data, sandbox, cache, workers)
        return {task.task_id: task for task in plus_tasks(self._data, expected, style)}

    def excuse(self, task_id: str, execution: Execution) -> str:  # noqa: ARG002 - the protocol's
        """Nothing here is to blame."""
        return ""

    def ready(self, sandbox: Sandbox, cache: Path, workers: int) -> Benchmark[Sandbox]:
        """The benchmark to score samples on; expected outputs tell whether references run."""
        return plus_benchmark(self._data, sandbox, cache, workers)


UNCOUNTED = "HumanEval/32"
"""evalplus 0.3.1 skips the counter of passing calls there, so that no program can pass."""


def plus_benchmark(
    data: PlusData,
    sandbox: Runner,
    cache: Path,
    workers: int,
    style: PromptStyle = PromptStyle.PREFILLED,
    *,
    base_only: bool = False,
) -> Benchmark[Runner]:
    """The benchmark ready to score; its expected outputs are computed once and kept in `cache`.

    Raises:
        InputError: where a reference solution fails.
    """
    expected = expected_outputs(data, sandbox, cache, workers)
    require_complete(data, expected)
    tasks = plus_tasks(data, expected, style, base_only=base_only)
    return Benchmark(
        DataSource(benchmark=data.benchmark.value, sha256=data.sha256, md5=data.md5),
        {task.task_id: task for task in tasks},
        libraries=library_versions(),
        cpu_seconds={
            name: sum(part.cpu_seconds for (task, _), part in expected.items() if task == name)
            for name in data.problems
        },
        listed_fault=listed_fault,
    )


def listed_fault(task_id: str, statuses: Statuses) -> Statuses | None:
    """What evalplus 0.3.1 says where it differs by a fault, and not by load."""
    if task_id != UNCOUNTED or Status.PASS not in (statuses.base, statuses.plus):
        return None

    def as_there(status: Status | None) -> Status | None:
        return Status.FAIL if status is Status.PASS else status

    return Statuses(base=as_there(statuses.base) or Status.FAIL, plus=as_there(statuses.plus))
