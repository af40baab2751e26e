"""Coverage counts the solution's statements and branches that its tests reach, and nothing else."""

import pytest
from patient_sandbox import SOON, UNREACHED

from iterpref_assets.core.quality.coverage import Coverage, measure_coverage
from iterpref_assets.core.records import (
    Case,
    CodeTests,
    FunctionTests,
    StdioCase,
    StdioTests,
    Tests,
)
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits

pytestmark = pytest.mark.sandbox

SIGN = "def sign(x):\n    if x > 0:\n        return 1\n    return -1"
"""Four statements; the condition has two branches."""


def calls(*arguments: int) -> FunctionTests:
    cases = tuple(Case(arguments=f"({each},)", expected="0") for each in arguments)
    return FunctionTests(entry_point="sign", cases=cases)


def code(text: str, *, shared: bool = False) -> CodeTests:
    return CodeTests(module="solution", code=text, shared_namespace=shared)


UNITTEST = """import unittest
from solution import sign
class T(unittest.TestCase):
    def test_a(self):
        self.assertEqual(sign(1), 1)
"""
SCRIPT = "from solution import sign\ndef test_a():\n    assert sign(1) == 1\n"


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        (calls(1), Coverage(4, 3, 2, 1)),
        (calls(-1), Coverage(4, 3, 2, 1)),
        (calls(1, -1), Coverage(4, 4, 2, 2)),
        (code(UNITTEST), Coverage(4, 3, 2, 1)),
        (code(SCRIPT), Coverage(4, 3, 2, 1)),
        (code("from solution import sign\nassert sign(-1) == -1"), Coverage(4, 3, 2, 1)),
        (
            code(UNITTEST.replace("from solution import sign", ""), shared=True),
            Coverage(4, 3, 2, 1),
        ),
    ],
    ids=["one side", "other side", "both", "unittest", "functions", "asserts", "shared"],
)
def test_what_the_tests_reach_is_counted(
    sandbox: Sandbox, tests: Tests, expected: Coverage
) -> None:
    assert measure_coverage(sandbox, SIGN, tests, UNREACHED) == expected


def test_whole_programs_are_measured_over_all_their_inputs(sandbox: Sandbox) -> None:
    program = "n = int(input())\nif n > 0:\n    print('up')\nelse:\n    print('down')"
    inputs = StdioTests(cases=tuple(StdioCase(stdin=f"{n}\n", stdout="") for n in (1, -1)))
    one = StdioTests(cases=inputs.cases[:1])
    assert measure_coverage(sandbox, program, one, UNREACHED) == Coverage(4, 3, 2, 1)
    assert measure_coverage(sandbox, program, inputs, UNREACHED) == Coverage(4, 4, 2, 2)


def test_what_runs_before_a_test_fails_is_counted(sandbox: Sandbox) -> None:
    failing = code("from solution import sign\nassert sign(1) == 5\nassert sign(-1) == -1")
    assert measure_coverage(sandbox, SIGN, failing, UNREACHED) == Coverage(4, 3, 2, 1)


def test_what_a_solution_prints_does_not_disturb_the_measurement(sandbox: Sandbox) -> None:
    noisy = SIGN.replace("    if", '    print("{}")\n    if')
    assert measure_coverage(sandbox, noisy, calls(1), UNREACHED) == Coverage(5, 4, 2, 1)


@pytest.mark.parametrize(
    ("code", "limits"),
    [
        ("def sign(x):\n    while True: pass", SOON),
        ("import os\ndef sign(x):\n    os._exit(0)", UNREACHED),
        ("import os\ndef sign(x):\n    os.close(3); os.close(4); os.close(5)", UNREACHED),
    ],
    ids=["endless", "exits", "closes what it can"],
)
def test_a_run_that_cannot_be_told_gives_nothing(
    sandbox: Sandbox, code: str, limits: Limits
) -> None:
    assert measure_coverage(sandbox, code, calls(1), limits) is None
