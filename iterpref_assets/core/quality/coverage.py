"""Line and branch coverage of a solution by its tests, measured inside the sandbox."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from iterpref_assets.core.records import CodeTests, FunctionTests, Tests
from iterpref_assets.core.sandbox.code_tests import plan_tests
from iterpref_assets.core.sandbox.outcomes import Runner
from iterpref_assets.core.sandbox.verdicts import Limits

PACKAGE = "coverage"
"""What the sandbox has to grant, and is best preloaded."""

_SLOWDOWN = 5.0
"""How much longer a traced program may take."""

_HARNESS = (Path(__file__).parent / "inside" / "cover.py").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Statements and branches of a solution, and how many of them its tests reach."""

    lines: int
    covered_lines: int
    branches: int
    covered_branches: int


class _Totals(BaseModel):
    """What is read of coverage.py's totals; the process that wrote them ran the solution."""

    model_config = ConfigDict(extra="ignore", strict=True)

    num_statements: int = Field(ge=0)
    missing_lines: int = Field(ge=0)
    num_branches: int = Field(ge=0)
    covered_branches: int = Field(ge=0)


def measure_coverage(runner: Runner, code: str, tests: Tests, limits: Limits) -> Coverage | None:
    """What `tests` reach of `code`, or None where the run ended before it could be told.

    Raises:
        InputError: where a test file asserts nothing or is no Python.
    """
    wider = replace(limits, cpu_seconds=limits.cpu_seconds * _SLOWDOWN)
    run = runner.run_program(_HARNESS, json.dumps(_job(code, tests)), wider)
    try:
        totals = _Totals.model_validate_json(run.stdout)
    except ValidationError:
        return None
    covered = totals.num_statements - totals.missing_lines
    if covered < 0 or totals.covered_branches > totals.num_branches:
        return None
    return Coverage(totals.num_statements, covered, totals.num_branches, totals.covered_branches)


def _job(code: str, tests: Tests) -> dict[str, Any]:
    job: dict[str, Any] = {"kind": tests.kind, "code": code, "module": "solution"}
    if isinstance(tests, FunctionTests):
        calls = [case.arguments for case in tests.cases]
        return {**job, "entry_point": tests.entry_point, "calls": calls}
    if isinstance(tests, CodeTests):
        plan = plan_tests(tests.code)
        source = (
            f"from {tests.module} import *\n{tests.code}" if tests.shared_namespace else tests.code
        )
        return {
            **job,
            "module": tests.module,
            "tests": source,
            "unittest": plan.unittest,
            "names": list(plan.names),
        }
    return {**job, "inputs": [case.stdin for case in tests.cases]}
