"""Reference solutions first: a task whose own solution fails here is not run, with a reason."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from iterpref_assets.core.evaluation.bigcode.data import BigCodeData, BigCodeProblem
from iterpref_assets.core.evaluation.bigcode.libraries import (
    distributions,
    imported_modules,
    missing_modules,
    versions,
)
from iterpref_assets.core.evaluation.bigcode.tasks import judge_program
from iterpref_assets.core.evaluation.tasks import Judge
from iterpref_assets.core.progress import track
from iterpref_assets.core.sandbox.sandbox import DEFAULT_PRELOAD, Sandbox

MAX_REASON = 200
BEHIND_PANDAS = frozenset({"html5lib", "lxml", "openpyxl", "xlrd"})
"""What pandas imports to read and write some formats; tasks use them without importing them."""
PRELOAD = ("numpy", "pandas", "scipy", "sklearn", "requests")
"""What programs most often import and what can be loaded before they have a folder to write to."""


def sandbox_packages(data: BigCodeData) -> tuple[str, ...]:
    """The installed distributions that programs of these tasks may import."""
    return distributions(_imported(data))


def _imported(data: BigCodeData) -> frozenset[str]:
    return BEHIND_PANDAS.union(*map(imported_modules, data.problems.values()))


def open_bigcode_sandbox(data: BigCodeData, workers: int) -> Sandbox:
    """A sandbox for these tasks: with every installed library that one of them imports."""
    granted = _imported(data)
    installed = [name for name in PRELOAD if name in granted and not missing_modules([name])]
    return Sandbox(
        workers,
        preload=(*DEFAULT_PRELOAD, "unittest.mock", *installed),
        packages=sandbox_packages(data),
    )


def tasks_not_run(data: BigCodeData, sandbox: Judge, cache: Path, workers: int) -> dict[str, str]:
    """Why tasks cannot be run here, by task_id, in the data's order.

    Either a library is not installed, or the reference solution does not pass: mostly because it
    needs the network or data that a library fetches. What a reference came to is kept in `cache`
    for the same data and the same versions of the libraries.
    """
    reasons = {
        task_id: f"not installed: {', '.join(missing)}"
        for task_id, problem in data.problems.items()
        if (missing := missing_modules(imported_modules(problem)))
    }
    runnable = [p for task_id, p in data.problems.items() if task_id not in reasons]
    found = json.dumps(
        [data.sha256, versions(sandbox_packages(data)), [p.task_id for p in runnable]]
    )
    path = cache / f"references-bigcode-{sha256(found.encode()).hexdigest()[:16]}.json"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(_failures(runnable, sandbox, workers), indent=1))
        new.replace(path)
    reasons |= json.loads(path.read_text())
    return {task_id: reasons[task_id] for task_id in data.problems if task_id in reasons}


def _failures(problems: list[BigCodeProblem], sandbox: Judge, workers: int) -> dict[str, str]:
    reasons: dict[str, str] = {}

    def run(problem: BigCodeProblem) -> str:
        execution = judge_program(problem, problem.reference, sandbox)
        if execution.passed:
            return ""
        said = execution.message or execution.error_type or execution.verdict.value
        return f"its reference solution does not pass here: {said}"[:MAX_REASON]

    with (
        ThreadPoolExecutor(workers) as pool,
        track("Reference solutions", len(problems)) as tracker,
    ):
        for problem, reason in zip(problems, pool.map(run, problems), strict=True):
            if reason:
                reasons[problem.task_id] = reason
            tracker.advance()
    return reasons
