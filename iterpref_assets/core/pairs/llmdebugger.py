"""Debugging trajectories recorded by LLMDebugger (`results/ldb/*.jsonl`), in this project's form.

The tasks are HumanEval's and MBPP's, so pairs made of them must not train a model that is scored on
those. Their source says so.
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field

from iterpref_assets.core.pairs.own import TrajectoryLine
from iterpref_assets.core.prompts import problem_prompt
from iterpref_assets.core.records import LLMDEBUGGER, CodeTests


class _Line(BaseModel):
    """What is read of one recorded trajectory."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    task_id: str
    prompt: str
    entry_point: str
    test: str
    implementations: tuple[str, ...] = Field(min_length=1, strict=False)
    is_solved: bool


def parse(line: bytes) -> TrajectoryLine:
    """The trajectory of a line; its tests are a file that calls `check` on the function.

    Raises:
        pydantic.ValidationError: where it is none.
    """
    row = _Line.model_validate_json(line)
    signatures = re.findall(rf"^def {re.escape(row.entry_point)}\b.*$", row.prompt, re.MULTILINE)
    signature = signatures[-1].strip() if signatures else row.entry_point
    call = "" if re.search(r"^check\(", row.test, re.MULTILINE) else f"\ncheck({row.entry_point})"
    return TrajectoryLine(
        problem_id=row.task_id,
        source=LLMDEBUGGER,
        prompt=problem_prompt(row.prompt, signature),
        tests=CodeTests(code=f"from solution import *\n{row.test}{call}\n"),
        versions=row.implementations,
        entry_point=row.entry_point,
        signature=signature,
        solved=row.is_solved,
    )
