"""HumanEval+ and MBPP+ as a suite: data, expected outputs, evalplus's listed faults."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from iterpref_assets.core.evaluation.config import OWN_LIMITS, JudgingLimits
from iterpref_assets.core.evaluation.evalplus.data import (
    SANDBOX_PACKAGES,
    EvalPlusData,
    library_versions,
)
from iterpref_assets.core.evaluation.evalplus.expected import expected_outputs, require_complete
from iterpref_assets.core.evaluation.evalplus.prompts import program
from iterpref_assets.core.evaluation.evalplus.tasks import (
    EvalPlusQuestion,
    EvalPlusTask,
    evalplus_tasks,
)
from iterpref_assets.core.evaluation.scores import SampleStatus, Statuses
from iterpref_assets.core.evaluation.suite import DataSource, Facts, PreparedBenchmark
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.sandbox.outcomes import Runner
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution


class EvalPlusSuite:
    """`Suite` of evalplus's tasks: every one can run anywhere."""

    def __init__(
        self,
        data: EvalPlusData,
        limits: JudgingLimits = OWN_LIMITS,
        *,
        base_only: bool = False,
    ) -> None:
        self._data, self._base_only = data, base_only
        self.facts = Facts(
            DataSource(benchmark=data.benchmark.value, sha256=data.sha256, md5=data.md5),
            prompts={name: problem.prompt for name, problem in data.problems.items()},
            references={name: problem.reference for name, problem in data.problems.items()},
            libraries=library_versions(),
            limits=limits,
        )

    def open_sandbox(self, workers: int, *, wait: bool = True) -> Sandbox:
        """A sandbox with numpy and pandas."""
        return Sandbox(workers, packages=SANDBOX_PACKAGES, wait=wait)

    def questions(self, style: PromptStyle) -> Mapping[str, EvalPlusQuestion]:
        """What the tasks ask."""
        problems, benchmark = self._data.problems, self._data.benchmark
        return {name: EvalPlusQuestion(each, benchmark, style) for name, each in problems.items()}

    def tasks(
        self, style: PromptStyle, sandbox: Sandbox, cache: Path, workers: int
    ) -> Mapping[str, EvalPlusTask]:
        """The tasks with expected outputs, computed by the references once and kept in `cache`."""
        expected = expected_outputs(self._data, sandbox, cache, workers)
        tasks = evalplus_tasks(self._data, expected, style, self.facts.limits)
        return {task.task_id: task for task in tasks}

    def program(self, task_id: str, answer: str) -> str:
        """The program in a chat's answer; "" where it holds none."""
        problem = self._data.problems[task_id]
        return program(problem, self._data.benchmark, PromptStyle.CHAT, answer)

    def why_not_run(self, task_id: str, execution: Execution) -> str:  # noqa: ARG002 - the protocol's
        """Nothing here is to blame."""
        return ""

    def ready(
        self, sandbox: Sandbox, cache: Path, workers: int, names: Collection[str]
    ) -> PreparedBenchmark[Sandbox]:
        """These tasks to score samples on; expected outputs tell whether references run."""
        data = self._data.of_tasks(names)
        limits = self.facts.limits
        return evalplus_benchmark(
            data, sandbox, cache, workers, limits=limits, base_only=self._base_only
        )


UNCOUNTED = "HumanEval/32"
"""evalplus 0.3.1 skips the counter of passing calls there, so that no program can pass."""


def evalplus_benchmark(
    data: EvalPlusData,
    sandbox: Runner,
    cache: Path,
    workers: int,
    style: PromptStyle = PromptStyle.PREFILLED,
    *,
    limits: JudgingLimits = OWN_LIMITS,
    base_only: bool = False,
) -> PreparedBenchmark[Runner]:
    """The benchmark ready to score; its expected outputs are computed once and kept in `cache`.

    Raises:
        InputError: where a reference solution fails.
    """
    expected = expected_outputs(data, sandbox, cache, workers)
    require_complete(data, expected)
    tasks = evalplus_tasks(data, expected, style, limits, base_only=base_only)
    return PreparedBenchmark(
        DataSource(benchmark=data.benchmark.value, sha256=data.sha256, md5=data.md5),
        {task.task_id: task for task in tasks},
        libraries=library_versions(),
        limits=limits,
        cpu_seconds={
            name: sum(part.cpu_seconds for (task, _), part in expected.items() if task == name)
            for name in data.problems
        },
        listed_fault=listed_fault,
    )


def listed_fault(task_id: str, statuses: Statuses) -> Statuses | None:
    """What evalplus 0.3.1 says where it differs by a fault, and not by load."""
    if task_id != UNCOUNTED or SampleStatus.PASS not in (statuses.base, statuses.plus):
        return None

    def as_there(status: SampleStatus | None) -> SampleStatus | None:
        return SampleStatus.FAIL if status is SampleStatus.PASS else status

    return Statuses(base=as_there(statuses.base) or SampleStatus.FAIL, plus=as_there(statuses.plus))
