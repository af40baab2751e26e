import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.frames import TESTS
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.reaching import reachable_programs, without_unreached
from iterpref_assets.core.records import Case, FunctionTests, Tests
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

ADD = FunctionTests(entry_point="add", cases=(Case(arguments="(1, 2)", expected="3"),))
TEXT = {"p": TESTS.dump_json(ADD).decode()}
RIGHT, WRONG = "def add(a, b):\n    return a + b", "def add(a, b):\n    return a - b"
PROBLEMS = pl.DataFrame({"problem_id": ["p"], "prompt": ["Add."], "entry_point": ["add"]})


class Judge:
    """Calls right what holds a plus sign, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Tests]] = []

    def __call__(self, code: str, tests: Tests) -> Execution:
        self.asked.append((code, tests))
        if "+" in code:
            return Execution(Verdict.PASSED)
        return Execution(Verdict.WRONG_ANSWER, message="told anew")


def _versions(*programs: tuple[str, str], problem: str = "p") -> pl.DataFrame:
    rows = [
        {
            "trajectory_id": f"{problem}#0",
            "problem_id": problem,
            "sample": 0,
            "round": number,
            "code": code,
            "verdict": verdict,
            "error_type": "",
            "feedback": "told before",
        }
        for number, (code, verdict) in enumerate(programs)
    ]
    return pl.DataFrame(rows, schema=tables.VERSIONS)


def test_a_program_that_was_cut_is_judged_anew():
    judge = Judge()
    versions = _versions((f"{WRONG}\nassert add(1, 2) == 3", "exception"), (RIGHT, "passed"))
    left = without_unreached(versions, TEXT, judge)
    assert judge.asked[0] == (WRONG, ADD)
    assert left["code"].to_list() == [WRONG, RIGHT]
    assert left["verdict"].to_list() == ["wrong_answer", "passed"]
    assert left["feedback"].to_list() == ["told anew", "told before"]


def test_versions_without_unreached_lines_stay_as_they_are_and_are_not_judged():
    judge = Judge()
    versions = _versions((WRONG, "wrong_answer"), (RIGHT, "passed"))
    assert without_unreached(versions, TEXT, judge).equals(versions)
    assert judge.asked == []


def test_programs_of_a_problem_without_tests_on_record_stay_whole():
    versions = _versions((f"{RIGHT}\nprint(1)", "passed"), problem="q")
    assert reachable_programs(versions, TEXT)[0] == f"{RIGHT}\nprint(1)"


def test_a_program_that_fails_in_its_own_example_alone_is_no_negative():
    example = "\n# Example\nassert add(1, 1) == 3"
    versions = _versions((RIGHT + example, "exception"), (f"# Sum\n{RIGHT}", "passed"))
    left = without_unreached(versions, TEXT, Judge())
    assert build_pairs(left, PROBLEMS, PairConfig()).is_empty()


def test_what_no_test_reaches_takes_no_part_in_the_difference():
    shown = [f"{code}\n\n# Example\nprint(add({n}, 2))" for n, code in enumerate((WRONG, RIGHT))]
    versions = _versions((shown[0], "wrong_answer"), (shown[1], "passed"))
    (pair,) = build_pairs(without_unreached(versions, TEXT, Judge()), PROBLEMS, PairConfig()).rows(
        named=True
    )
    assert (pair["chosen"], pair["rejected"]) == (RIGHT, WRONG)
    assert (pair["chosen_diff_lines"], pair["rejected_diff_lines"]) == ([1], [1])


@pytest.mark.sandbox
def test_a_wrong_assert_of_its_own_fails_a_program_only_while_it_is_there():
    from iterpref_assets.core.sandbox.sandbox import Sandbox

    with Sandbox(workers=1) as sandbox:
        whole = f"{RIGHT}\nassert add(1, 1) == 3"
        assert sandbox.judge(whole, ADD).verdict is Verdict.EXCEPTION
        left = without_unreached(_versions((whole, "exception")), TEXT, sandbox.judge)
    assert left["verdict"].to_list() == ["passed"]
