"""What the sandbox benchmarks share: CodeT's samples as judged programs, and a line on the machine.

CodeT's file is in its own order and its prompts lack HumanEval's examples, so a record is matched
to its task by function name, and by the closest prompt where several tasks share a name.
"""

from __future__ import annotations

import datetime as dt
import difflib
import gzip
import json
import os
import platform
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from published import DATA

from iterpref_assets.core.evaluation.evalplus.data import (
    EvalPlusBenchmark,
    EvalPlusProblem,
    load_evalplus,
)
from iterpref_assets.core.evaluation.evalplus.expected import expected_outputs
from iterpref_assets.core.evaluation.evalplus.tasks import EvalPlusTask, evalplus_tasks
from iterpref_assets.core.sandbox.sandbox import Sandbox

HUMANEVAL = DATA / "benchmarks" / "HumanEvalPlus.jsonl.gz"
CODET = DATA / "samples" / "codet-humaneval-codegen16b-100.jsonl.gz"
_DEFINED = re.compile(r"^def (\w+)\(", re.MULTILINE)


@dataclass(frozen=True)
class Sample:
    """One program and the HumanEval task whose base tests decide it."""

    task: EvalPlusTask
    code: str


def codet_samples(sandbox: Sandbox, workers: int, per_task: int) -> list[Sample]:
    """The first `per_task` samples of every record."""
    data = load_evalplus(EvalPlusBenchmark.HUMANEVAL, HUMANEVAL)
    with tempfile.TemporaryDirectory() as folder:
        expected = expected_outputs(data, sandbox, Path(folder), workers)
    tasks = {task.task_id: task for task in evalplus_tasks(data, expected, base_only=True)}
    problems = list(data.problems.values())
    samples: list[Sample] = []
    with gzip.open(CODET, "rt") as lines:
        for line in lines:
            record = json.loads(line)
            task = tasks[task_named_like(record["prompt"], problems).task_id]
            samples += [
                Sample(task, record["prompt"] + each) for each in record["samples"][:per_task]
            ]
    return samples


def task_named_like(prompt: str, problems: Sequence[EvalPlusProblem]) -> EvalPlusProblem:
    """The problem that a prompt of CodeT's asks for."""
    name = _DEFINED.findall(prompt)[-1]
    named = [problem for problem in problems if problem.entry_point == name]
    return max(named, key=lambda problem: _likeness(prompt, problem.prompt))


def _likeness(first: str, second: str) -> float:
    return difflib.SequenceMatcher(None, first, second, autojunk=False).ratio()


def machine() -> str:
    """Date, commit, machine and how busy it is."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
    ).stdout.strip()
    date = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"{date}, commit {commit}, {os.cpu_count()} cores, {platform.machine()}, "
        f"Linux {platform.release()}, Python {platform.python_version()}, "
        f"load average {os.getloadavg()[0]:.1f} before the start"
    )
