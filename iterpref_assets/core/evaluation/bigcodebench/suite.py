"""BigCodeBench as a suite, and why a reference solution cannot pass in the sandbox.

What is lacking is by design (no network, no `/proc`) or not the libraries' to bring (data that they
fetch). A failure that nothing here explains is none of these, and stays a failure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchData, BigCodeBenchSplit
from iterpref_assets.core.evaluation.bigcodebench.libraries import (
    imported_modules,
    installed_versions,
    missing_modules,
)
from iterpref_assets.core.evaluation.bigcodebench.tasks import BigCodeBenchTask, task_limits
from iterpref_assets.core.evaluation.config import OWN_LIMITS, JudgingLimits
from iterpref_assets.core.evaluation.references import (
    reasons_not_run,
    references_of,
)
from iterpref_assets.core.evaluation.suite import (
    CHECK_DATA,
    JUDGING,
    DataSource,
    Facts,
    PreparedBenchmark,
)
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.sandbox.sandbox import DEFAULT_PRELOAD, Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution

HARD = "hard"
OWN_JUDGING = 3
"""Raised whenever programs of this benchmark alone may come to another verdict than before."""
PRELOAD = ("numpy", "pandas", "scipy", "sklearn", "matplotlib.pyplot", "requests")
"""What programs most often import; matplotlib alone takes a second to find its fonts."""


class BigCodeBenchSuite:
    """`Suite` of BigCodeBench's tasks, asked in one of the two ways.

    Args:
        data: the tasks.
        split: how they are asked; references and tests are the same for both.
        folder: the libraries that programs may import; where None, only Python's own.
        limits: limits to use in place of `LIMITS`.
    """

    def __init__(
        self,
        data: BigCodeBenchData,
        split: BigCodeBenchSplit,
        folder: Path | None,
        limits: JudgingLimits = OWN_LIMITS,
    ) -> None:
        self._limits = task_limits(limits)
        self._problems, self._split, self._folder = data.problems, split, folder
        problems = data.problems.items()
        lacking = {name: missing_modules(imported_modules(p), folder) for name, p in problems}
        self.facts = Facts(
            DataSource(
                benchmark=f"bigcodebench {data.subset} {split}", sha256=data.sha256, md5=data.md5
            ),
            prompts={name: problem.complete_prompt for name, problem in problems},
            groups={name: HARD for name in data.problems if name in data.hard},
            references={name: problem.reference for name, problem in problems},
            missing={name: f"not installed: {', '.join(m)}" for name, m in lacking.items() if m},
            libraries=installed_versions(folder),
            limits=limits,
            remedy=f"{CHECK_DATA}, and that the libraries have the versions of "
            "requirements/bigcodebench.txt",
            judging=JUDGING + OWN_JUDGING,
        )

    def open_sandbox(self, workers: int, *, wait: bool = True) -> Sandbox:
        """A sandbox with these libraries and the system's commands, which some tasks start."""
        return Sandbox(
            workers,
            preload=(*DEFAULT_PRELOAD, "unittest.mock", *preloaded(self._folder)),
            libraries=self._folder,
            commands=True,
            wait=wait,
        )

    def questions(self, style: PromptStyle) -> Mapping[str, BigCodeBenchTask]:
        """The tasks, which need nothing prepared."""
        problems = self._problems.items()
        return {
            name: BigCodeBenchTask(problem, self._split, style, self._limits)
            for name, problem in problems
        }

    def tasks(
        self,
        style: PromptStyle,
        sandbox: Sandbox,  # noqa: ARG002 - the protocol's
        cache: Path,  # noqa: ARG002
        workers: int,  # noqa: ARG002
    ) -> Mapping[str, BigCodeBenchTask]:
        """The tasks."""
        return self.questions(style)

    def why_not_run(self, task_id: str, execution: Execution) -> str:
        """What the sandbox lacks by design, or the libraries' own data."""
        return reason_not_run(task_id, execution)

    def program(self, task_id: str, answer: str) -> str:
        """The program in a chat's answer; "" where it holds none."""
        return BigCodeBenchTask(self._problems[task_id], self._split, PromptStyle.CHAT).program(
            answer
        )

    def ready(
        self, sandbox: Sandbox, cache: Path, workers: int, names: Collection[str]
    ) -> PreparedBenchmark[Sandbox]:
        """These tasks to score samples on; tasks whose reference cannot pass here are not run.

        What references came to is kept in `cache` for the same data and libraries.
        """
        every = self.tasks(PromptStyle.PREFILLED, sandbox, cache, workers)
        tasks = {name: every[name] for name in every if name in names}
        facts = self.facts
        results = references_of(self, tasks, sandbox, cache, workers)
        return PreparedBenchmark(
            facts.source,
            tasks,
            not_run=reasons_not_run(results),
            groups={name: group for name, group in facts.groups.items() if name in names},
            libraries=facts.libraries,
            limits=facts.limits,
            judging=facts.judging,
        )


def preloaded(folder: Path | None) -> list[str]:
    """The modules of `PRELOAD` whose libraries the folder holds."""
    return [name for name in PRELOAD if not missing_modules([name.partition(".")[0]], folder)]


NETWORK, PROC = "needs the network", "needs /proc"

_RESOURCE = re.compile(r"Resource (?:\x1b\[\d+m)?([a-z_]+)")
_NETWORK = re.compile(
    r"name resolution|Failed to resolve|Max retries exceeded|URL Error|Network is unreachable"
    r"|Function not implemented|gaierror|URLError|ConnectionError"
)
_PROC = re.compile(r"'/proc/|PID not found|NoSuchProcess")
_COMMAND = re.compile(r"No such file or directory: '((?:/bin/|/usr/bin/)?[\w.-]+)'")


UNTOLD = {
    "BigCodeBench/111": "expects numpy 1.21, which has no build for this Python",
    "BigCodeBench/147": NETWORK,
    "BigCodeBench/176": NETWORK,
    "BigCodeBench/276": "expects scipy 1.7, which has no build for this Python",
    "BigCodeBench/461": PROC,
    "BigCodeBench/1028": PROC,
}
"""References of v0.1.4 that pass on a host with its libraries, and whose failure here does not tell
why: they swallow the error, or return something else."""


def reason_not_run(task_id: str, execution: Execution) -> str:
    """What is lacking here, or "" where nothing is known to be."""
    said = f"{execution.error_type}: {execution.message}"
    if execution.error_type in ("LookupError", "MissingCorpusError"):
        found = _RESOURCE.search(execution.message)
        return f"needs data that its library fetches{f': {found[1]}' if found else ''}"
    if execution.error_type in ("ImportError", "ModuleNotFoundError"):
        return f"lacks a library: {execution.message}"
    if _NETWORK.search(said):
        return NETWORK
    if _PROC.search(said):
        return PROC
    if found := _COMMAND.search(said):
        return f"needs the command {found[1]}"
    return UNTOLD.get(task_id, "")
