"""Run a solution under its tests with coverage.py; sent into the sandbox as a program of its own.

Standard input is a job as JSON: the solution and its tests, see `quality.coverage`. Standard output
is coverage.py's totals as JSON; what the solution prints is thrown away. Whether tests pass does
not matter here: what ran is counted all the same.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import io
import json
import os
import runpy
import sys
import unittest
from pathlib import Path
from typing import Any

import coverage


def call_function(job: dict[str, Any]) -> None:
    """Make each call of the function."""
    function = getattr(importlib.import_module(job["module"]), job["entry_point"])
    for arguments in job["calls"]:
        with contextlib.suppress(BaseException):
            function(*ast.literal_eval(arguments))


def run_script(job: dict[str, Any]) -> None:
    """Run the whole program on each input."""
    for text in job["inputs"]:
        sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
        with contextlib.suppress(BaseException):
            runpy.run_path(f"{job['module']}.py", run_name="__main__")


def run_test_file(job: dict[str, Any]) -> None:
    """Run the test file: its unittest classes, or itself and the test functions nobody calls."""
    if not job["unittest"]:
        Path("run_tests.py").write_text(job["tests"], encoding="utf-8")
        namespace = runpy.run_path("run_tests.py", run_name="__main__")
        for name in job["names"]:
            owner, _, method = name.rpartition(".")
            (getattr(namespace[owner](), method) if owner else namespace[method])()
        return
    Path("run_tests.py").write_text(job["tests"], encoding="utf-8")
    suite = unittest.defaultTestLoader.loadTestsFromName("run_tests")
    suite.run(unittest.TestResult())


RUNNERS = {"function": call_function, "stdio": run_script, "code": run_test_file}


def main() -> None:
    """Measure, and write the totals."""
    job = json.loads(sys.stdin.read())
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    solution = Path(f"{job['module']}.py").absolute()
    solution.write_text(job["code"], encoding="utf-8")
    sys.path.insert(0, str(Path.cwd()))
    measured = coverage.Coverage(
        data_file=None, config_file=False, branch=True, include=[str(solution)]
    )
    measured.start()
    with contextlib.suppress(BaseException):
        RUNNERS[job["kind"]](job)
    measured.stop()
    measured.json_report(outfile="coverage.json")
    totals = json.loads(Path("coverage.json").read_text(encoding="utf-8"))["totals"]
    answer.write(json.dumps(totals))
    answer.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
