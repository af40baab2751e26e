"""LiveCodeBench as a suite."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.metadata import version
from pathlib import Path

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.config import OWN_LIMITS, JudgingLimits
from iterpref_assets.core.evaluation.livecodebench.data import LiveCodeBenchData
from iterpref_assets.core.evaluation.livecodebench.prompts import LiveCodeBenchExamples, program
from iterpref_assets.core.evaluation.livecodebench.sources import OPENING, LiveCodeBenchRules
from iterpref_assets.core.evaluation.livecodebench.tasks import LiveCodeBenchTask
from iterpref_assets.core.evaluation.suite import CHECK_DATA, DataSource, Facts, PreparedBenchmark
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.sandbox.sandbox import DEFAULT_PRELOAD, Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution

PACKAGES = ("numpy",)
"""What the official runner brings beside the standard library."""

OFFICIALLY_LOADED = ("numpy", "shutil", "subprocess")
"""What the official rules ask for before each program, loaded once for all of them."""


class LiveCodeBenchSuite:
    """`Suite` of contest problems: a reference has no reason to fail.

    Args:
        data: the problems of the window that is asked for.
        references: solutions by task_id; the data itself holds none.
        examples: the solved examples that base models are shown, where they were given.
        rules: how programs are judged.
        limits: limits to use in place of the official ones.
    """

    def __init__(
        self,
        data: LiveCodeBenchData,
        references: Mapping[str, str],
        examples: LiveCodeBenchExamples | None = None,
        rules: LiveCodeBenchRules = LiveCodeBenchRules.STRICT,
        limits: JudgingLimits = OWN_LIMITS,
    ) -> None:
        self._problems, self._examples, self._rules = data.problems, examples, rules
        self._limits = limits
        problems = data.problems.items()
        self.facts = Facts(
            DataSource(benchmark=f"livecodebench {data.window}", sha256=data.sha256, md5=data.md5),
            prompts=dict.fromkeys(data.problems, ""),
            groups={name: p.difficulty.value for name, p in problems if p.difficulty},
            references={name: references[name] for name in data.problems if name in references},
            libraries=library_versions(),
            rules=rules.value,
            limits=limits,
            remedy=f"{CHECK_DATA}, and the solutions given beside it",
        )

    def open_sandbox(self, workers: int, *, wait: bool = True) -> Sandbox:
        """A sandbox with numpy, which the official runner has."""
        is_official = self._rules is LiveCodeBenchRules.OFFICIAL
        preload = (*DEFAULT_PRELOAD, *OFFICIALLY_LOADED) if is_official else DEFAULT_PRELOAD
        return Sandbox(workers, preload=preload, opening=OPENING, packages=PACKAGES, wait=wait)

    def questions(self, style: PromptStyle) -> Mapping[str, LiveCodeBenchTask]:
        """The tasks, which need nothing prepared.

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
            name: LiveCodeBenchTask(problem, style, self._examples, self._rules, self._limits)
            for name, problem in self._problems.items()
        }

    def tasks(
        self,
        style: PromptStyle,
        sandbox: Sandbox,  # noqa: ARG002 - the protocol's
        cache: Path,  # noqa: ARG002
        workers: int,  # noqa: ARG002
    ) -> Mapping[str, LiveCodeBenchTask]:
        """The tasks; raises as `questions`."""
        return self.questions(style)

    def why_not_run(self, task_id: str, execution: Execution) -> str:  # noqa: ARG002 - the protocol's
        """Nothing here is to blame."""
        return ""

    def program(self, task_id: str, answer: str) -> str:
        """The program in a chat's answer; "" where it holds none."""
        return program(self._problems[task_id], PromptStyle.CHAT, answer)

    def ready(
        self, sandbox: Sandbox, cache: Path, workers: int, names: Collection[str]
    ) -> PreparedBenchmark[Sandbox]:
        """These tasks to score samples on."""
        tasks = self.tasks(PromptStyle.CHAT, sandbox, cache, workers)
        facts = self.facts
        return PreparedBenchmark(
            facts.source,
            {name: tasks[name] for name in tasks if name in names},
            groups={name: group for name, group in facts.groups.items() if name in names},
            libraries=facts.libraries,
            rules=facts.rules,
            limits=facts.limits,
        )


def library_versions() -> dict[str, str]:
    """The versions of the libraries that programs may import, by name."""
    return {name: version(name) for name in PACKAGES}
