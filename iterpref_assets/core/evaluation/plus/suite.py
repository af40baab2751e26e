"""HumanEval+ and MBPP+ as a suite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from iterpref_assets.core.evaluation.batch import Benchmark
from iterpref_assets.core.evaluation.plus.benchmark import plus_benchmark
from iterpref_assets.core.evaluation.plus.data import PlusData
from iterpref_assets.core.evaluation.plus.expected import expected_outputs
from iterpref_assets.core.evaluation.plus.libraries import SANDBOX_PACKAGES, library_versions
from iterpref_assets.core.evaluation.plus.tasks import PlusTask, plus_tasks
from iterpref_assets.core.evaluation.results import DataSource
from iterpref_assets.core.evaluation.suite import Facts
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution


class PlusSuite:
    """`Suite` of evalplus's tasks: every one can run anywhere, so no failure is excused."""

    def __init__(self, data: PlusData) -> None:
        self._data = data
        self.facts = Facts(
            DataSource(benchmark=data.benchmark.value, sha256=data.sha256, md5=data.md5),
            prompts={name: problem.prompt for name, problem in data.problems.items()},
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
