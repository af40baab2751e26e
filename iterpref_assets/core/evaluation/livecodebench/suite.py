"""LiveCodeBench as a suite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.batch import Benchmark
from iterpref_assets.core.evaluation.livecodebench.data import ContestData
from iterpref_assets.core.evaluation.livecodebench.prompts import ContestExamples, entry_point
from iterpref_assets.core.evaluation.livecodebench.tasks import ContestTask
from iterpref_assets.core.evaluation.results import DataSource
from iterpref_assets.core.evaluation.suite import CHECK_DATA, Facts
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution


class ContestSuite:
    """`Suite` of contest problems: they need nothing but Python, so no failure is excused.

    Args:
        data: the problems of the window that is asked for.
        window: that window, as text.
        references: solutions by task_id; the data itself holds none.
        examples: the solved examples that base models are shown, where they were given.
    """

    def __init__(
        self,
        data: ContestData,
        window: str,
        references: Mapping[str, str],
        examples: ContestExamples | None = None,
    ) -> None:
        self._problems, self._examples = data.problems, examples
        problems = data.problems.items()
        self.facts = Facts(
            DataSource(benchmark=f"livecodebench {window}", sha256=data.sha256, md5=data.md5),
            prompts=dict.fromkeys(data.problems, ""),
            entry_points={name: entry_point(each) for name, each in data.problems.items()},
            groups={name: p.difficulty.value for name, p in problems if p.difficulty},
            references={name: references[name] for name in data.problems if name in references},
            remedy=f"{CHECK_DATA}, and the solutions given beside it",
        )

    def open_sandbox(self, workers: int) -> Sandbox:
        """A plain sandbox."""
        return Sandbox(workers)

    def tasks(
        self,
        style: PromptStyle,
        sandbox: Sandbox,  # noqa: ARG002 - the protocol's
        cache: Path,  # noqa: ARG002
        workers: int,  # noqa: ARG002
    ) -> Mapping[str, ContestTask]:
        """The tasks.

        Raises:
            InputError: where a base model is to be asked and no examples were given.
        """
        if style is PromptStyle.COMPLETION and self._examples is None:
            raise InputError(
                "base models are shown a solved example of LiveCodeBench's own first",
                field="benchmarks.livecodebench.examples",
                remedy="Set it to the folder of its repository that holds func.json and "
                "stdin.json (lcb_runner/prompts/few_shot_examples/generation)",
            )
        return {
            name: ContestTask(problem, style, self._examples)
            for name, problem in self._problems.items()
        }

    def excuse(self, task_id: str, execution: Execution) -> str:  # noqa: ARG002 - the protocol's
        """Nothing here is to blame."""
        return ""

    def ready(self, sandbox: Sandbox, cache: Path, workers: int) -> Benchmark[Sandbox]:
        """The benchmark to score samples on."""
        tasks = self.tasks(PromptStyle.CHAT, sandbox, cache, workers)
        return Benchmark(self.facts.source, tasks, groups=self.facts.groups)
