"""What counts of a program is what its tests reach, unless it needs the rest."""

from collections.abc import Iterator

import pytest

from iterpref_assets.core.reached import judge_reached
from iterpref_assets.core.records import Case, FunctionTests, Tests
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

ADD = FunctionTests(entry_point="add", cases=(Case(arguments="(1, 2)", expected="3"),))
RIGHT, WRONG = "def add(a, b):\n    return a + b", "def add(a, b):\n    return a - b"
SHOWN = "print(add(1, 2))"

NEEDING_THE_REST = [
    "L = [1]\nM = L\nM[0] = 0\ndef add(a, b):\n    return a + b + L[0]",
    "L = []\nlist(map(L.append, [0]))\ndef add(a, b):\n    return a + b + L[0]",
    "L = []\nput = L.append\nput(0)\ndef add(a, b):\n    return a + b + L[0]",
    "def add(a, b):\n    return a + b + add.k\ng = add\ng.k = 0",
    (
        "class C:\n    @classmethod\n    def setup(cls):\n        cls.k = 0\nC.setup()\n"
        "def add(a, b):\n    return a + b + C.k"
    ),
    "S = {}\nclass H:\n    d = S\nH.d['k'] = 0\ndef add(a, b):\n    return a + b + S['k']",
    (
        "class B:\n    pass\nclass D(B):\n    k = 0\n"
        "def add(a, b):\n    return a + b + B.__subclasses__()[0].k"
    ),
]
"""Right programs, of which a statement has an effect that is not told by reading."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(workers=1) as started:
        yield started


@pytest.mark.sandbox
@pytest.mark.parametrize("code", NEEDING_THE_REST)
def test_a_right_program_stays_right(sandbox: Sandbox, code: str) -> None:
    _, execution = judge_reached(code, ADD, sandbox.judge)
    assert execution.passed


@pytest.mark.sandbox
def test_a_wrong_assert_of_its_own_does_not_fail_a_right_program(sandbox: Sandbox) -> None:
    counts, execution = judge_reached(f"{RIGHT}\nassert add(1, 1) == 3", ADD, sandbox.judge)
    assert (counts, execution.passed) == (RIGHT, True)


class Judge:
    """Gives verdicts in turn, and keeps what it was asked."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.verdicts = list(verdicts)
        self.asked: list[str] = []

    def __call__(self, code: str, tests: Tests) -> Execution:
        assert tests == ADD
        self.asked.append(code)
        return Execution(self.verdicts.pop(0))


def test_a_program_that_fails_whole_as_well_counts_without_what_is_not_reached() -> None:
    judge = Judge(Verdict.WRONG_ANSWER, Verdict.EXCEPTION)
    counts, execution = judge_reached(f"{WRONG}\n{SHOWN}", ADD, judge)
    assert (counts, execution.verdict) == (WRONG, Verdict.WRONG_ANSWER)


def test_a_program_that_only_passes_whole_counts_whole() -> None:
    whole = f"{WRONG}\n{SHOWN}"
    counts, execution = judge_reached(whole, ADD, Judge(Verdict.EXCEPTION, Verdict.PASSED))
    assert (counts, execution.passed) == (whole, True)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (f"{RIGHT}\n{SHOWN}", Verdict.PASSED),
        (f"{WRONG}\n{SHOWN}", Verdict.TIMEOUT),
        (WRONG, Verdict.WRONG_ANSWER),
    ],
    ids=["passed", "ended by a limit", "reached whole"],
)
def test_a_program_runs_once_where_a_second_run_would_tell_nothing(
    code: str, verdict: Verdict
) -> None:
    judge = Judge(verdict)
    judge_reached(code, ADD, judge)
    assert len(judge.asked) == 1
