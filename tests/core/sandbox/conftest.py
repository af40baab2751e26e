"""A sandbox for all tests here, and an attack that must leave nothing behind."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from patient_sandbox import PatientSandbox

from iterpref_assets.core.records import Case, CodeTests, FunctionTests, Tests
from iterpref_assets.core.sandbox.bubblewrap import Bubblewrap
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution, Limits, Verdict

SQUARES = FunctionTests(
    entry_point="square",
    cases=(Case(arguments="(3,)", expected="9"), Case(arguments="(4,)", expected="16")),
)
SQUARE = "def square(x):\n    return x * x\n"
SQUARE_TEST_FILE = CodeTests(
    code=(
        "import unittest\n"
        "from solution import square\n"
        "class TestSquare(unittest.TestCase):\n"
        "    def test_three(self):\n"
        "        self.assertEqual(square(3), 9)\n"
        "    def test_four(self):\n"
        "        self.assertEqual(square(4), 16)\n"
    )
)

Attack = Callable[..., Execution]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with PatientSandbox(workers=1, packages=("numpy",)) as running:
        yield running


@pytest.fixture
def namespaces(sandbox: Sandbox) -> None:
    """Skip what a container beside other processes and files does not promise."""
    if not isinstance(sandbox._settings.backend, Bubblewrap):
        pytest.skip("holds where programs have namespaces of their own")


@pytest.fixture
def look(sandbox: Sandbox) -> Any:
    """Run the body of a function inside, and give back what it returned or the error's name."""

    def run(body: str) -> Any:
        code = "def f():\n" + "\n".join("    " + line for line in body.splitlines())
        outcome = sandbox.run_calls(code, "f", [()]).outcomes[0]
        return outcome.raised.error_type if outcome.result is None else outcome.value()

    return run


@pytest.fixture
def attack(sandbox: Sandbox) -> Attack:
    """Judge hostile code; then the next program must pass, and no process may be left over."""

    def run(code: str, tests: Tests = SQUARES, limits: Limits | None = None) -> Execution:
        before = descendants(os.getpid())
        execution = sandbox.judge(code, tests, limits)
        assert sandbox.judge(SQUARE, SQUARES).verdict is Verdict.PASSED
        assert descendants(os.getpid()) == before
        return execution

    return run


def descendants(root: int) -> set[int]:
    """The process ids of everything started by `root`, directly or not."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = int(fields[1])
    found: set[int] = set()
    for start in parents:
        pid = start
        while pid in parents and pid != root:
            pid = parents[pid]
        if pid == root and start != root:
            found.add(start)
    return found
