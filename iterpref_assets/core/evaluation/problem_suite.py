"""A file of one's own problems as a suite, so that it is asked and scored like a benchmark."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from iterpref_assets.core.conversations import PromptConfig, Prompts
from iterpref_assets.core.digests import Checksums
from iterpref_assets.core.evaluation.config import OWN_LIMITS, JudgingLimits
from iterpref_assets.core.evaluation.references import reasons_not_run, references_of
from iterpref_assets.core.evaluation.suite import DataSource, Facts, PreparedBenchmark
from iterpref_assets.core.evaluation.tasks import ProblemTask, PromptStyle, problem_tasks
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import WALL_FACTOR, Execution, Limits
from iterpref_assets.core.seeds.problem_file import read_problem_file


class ProblemSuite:
    """`Suite` of the problems in a JSONL file; a task_id is a problem_id.

    Args:
        file: lines of records.Problem, of any split.
        prompts: how a model is asked.
        limits: what one program may use.
        given: limits in place of these.
        packages: installed distributions that programs may import.

    Raises:
        InputError: naming file, line and field of the first line that is no problem.
    """

    def __init__(
        self,
        file: Path,
        prompts: PromptConfig,
        limits: Limits,
        given: JudgingLimits = OWN_LIMITS,
        packages: tuple[str, ...] = (),
    ) -> None:
        problems = read_problem_file(file, None)
        allowed = _limits(limits, given)
        tasks = problem_tasks(problems, Prompts(prompts), allowed)
        self._tasks = {task.task_id: task for task in tasks}
        self._packages = packages
        made_of = Checksums(file.read_bytes())
        self.facts = Facts(
            DataSource(
                benchmark=file.name,
                sha256=made_of.sha256,
                md5=made_of.md5,
            ),
            prompts={each.problem_id: "" for each in problems},
            references={each.problem_id: each.reference for each in problems if each.reference},
            libraries=dict.fromkeys(packages, ""),
            limits=given,
            program_limits=asdict(allowed),
            remedy="Correct the problem's tests or its reference",
        )

    def open_sandbox(self, workers: int, *, wait: bool = True) -> Sandbox:
        """A sandbox with the packages."""
        return Sandbox(workers, packages=self._packages, wait=wait)

    def questions(self, style: PromptStyle) -> Mapping[str, ProblemTask]:  # noqa: ARG002 - theirs
        """The tasks, asked by the prompts' own templates, whatever the style."""
        return self._tasks

    def tasks(
        self,
        style: PromptStyle,  # noqa: ARG002 - the protocol's
        sandbox: Sandbox,  # noqa: ARG002
        cache: Path,  # noqa: ARG002
        workers: int,  # noqa: ARG002
    ) -> Mapping[str, ProblemTask]:
        """The tasks."""
        return self._tasks

    def program(self, task_id: str, answer: str) -> str:
        """The program in an answer to a problem; "" where it holds none."""
        return self._tasks[task_id].program(answer)

    def why_not_run(self, task_id: str, execution: Execution) -> str:  # noqa: ARG002 - the protocol's
        """Nothing here is to blame."""
        return ""

    def ready(
        self, sandbox: Sandbox, cache: Path, workers: int, names: Collection[str]
    ) -> PreparedBenchmark[Sandbox]:
        """These problems to score samples on; the references that there are must pass."""
        tasks = {name: task for name, task in self._tasks.items() if name in names}
        results = references_of(self, tasks, sandbox, cache, workers)
        return PreparedBenchmark(
            self.facts.source,
            tasks,
            not_run=reasons_not_run(results),
            libraries=self.facts.libraries,
            limits=self.facts.limits,
            program_limits=self.facts.program_limits,
        )


def _limits(limits: Limits, given: JudgingLimits) -> Limits:
    limits = replace(limits, memory_bytes=given.memory_bytes(limits.memory_bytes))
    if given.seconds is None:
        return limits
    return replace(limits, cpu_seconds=given.seconds, wall_seconds=WALL_FACTOR * given.seconds)
