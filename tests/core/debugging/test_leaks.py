import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.debugging.leaks import Leak, leaks, literals_by_test
from iterpref_assets.core.records import (
    Case,
    CodeTests,
    FunctionTests,
    Problem,
    StdioCase,
    StdioTests,
)

TESTS = FunctionTests(
    entry_point="f",
    cases=(
        Case(arguments="('tomatoes', 3)", expected="'tomatoes!!!'"),
        Case(arguments="('potatoes', 1)", expected="'potatoes!'"),
        Case(arguments="('', 0)", expected="''"),
    ),
)
FIRST = "assert f('tomatoes', 3) == 'tomatoes!!!'  # got None"


def found(*versions: tuple[str, str], prompt: str = "Shout.", tests=TESTS) -> list[Leak]:
    """The leaks of a trajectory, given each version's program and feedback."""
    problem = Problem(problem_id="p", source="test", prompt=prompt, tests=tests)
    rows = [
        {"round": number, "code": code, "feedback": feedback}
        for number, (code, feedback) in enumerate(versions)
    ]
    versions = pl.DataFrame(rows, schema=tables.VERSIONS)
    return list(leaks(problem, prompt, literals_by_test(tests), versions))


def test_feedback_on_one_test_is_no_leak():
    assert found(("def f(): ...", FIRST), ("def f(a, b): ...", "")) == []


def test_feedback_that_names_a_second_test_leaks_it():
    told = FIRST.replace("  # got", " and f('potatoes', 1)  # got")
    leaked = {leak.literal for leak in found(("def f(): ...", told), ("", ""))}
    assert leaked == {"'potatoes'", "'potatoes', 1"}


def test_what_the_program_returned_is_its_own_doing():
    told = "assert f('tomatoes', 3) == 'tomatoes!!!'  # got 'potatoes!'"
    assert found(("def f(): ...", told), ("", "")) == []


def test_what_the_statement_says_is_no_secret():
    told = FIRST.replace("  # got", " and f('potatoes', 1)  # got")
    prompt = "Shout: f('potatoes', 1) gives 'potatoes!'."
    assert found(("def f(): ...", told), ("", ""), prompt=prompt) == []


def test_a_program_that_knows_a_test_it_was_never_shown_is_told():
    knowing = "def f(a, b):\n    return {'potatoes': 'potatoes!'}[a]"
    leaked = found(("def f(): ...", FIRST), (knowing, FIRST), ("", ""))
    assert leaked == [Leak(2, "'potatoes!'"), Leak(2, "'potatoes'")]


def test_a_literal_of_the_first_program_is_the_models_own():
    own = "def f(a, b):\n    return 'potatoes!'"
    assert found((own, FIRST), (own + "  # 2", FIRST), ("", "")) == []


def test_a_test_shown_in_an_earlier_round_may_be_used_later():
    learnt = "def f(a, b):\n    return 'tomatoes!!!'"
    second = "assert f('potatoes', 1) == 'potatoes!'  # got 'tomatoes!!!'"
    assert found(("def f(): ...", FIRST), (learnt, second), ("", "")) == []


@pytest.mark.parametrize(
    "tests",
    [
        pytest.param(TESTS, id="calls"),
        pytest.param(
            StdioTests(
                cases=(
                    StdioCase(stdin="'potatoes'\n", stdout="'potatoes!'\n"),
                    StdioCase(stdin="x", stdout="y"),
                )
            ),
            id="stdio",
        ),
        pytest.param(
            CodeTests(
                code="from solution import f\n"
                "def test_f():\n    assert f('potatoes') == 'potatoes!'\n    assert f('x') == 'y'\n"
            ),
            id="code",
        ),
    ],
)
def test_every_kind_of_test_has_its_own_literals(tests):
    having = [test for test in literals_by_test(tests) if "'potatoes!'" in test]
    assert len(having) == 1


def test_short_literals_are_nobodys():
    assert literals_by_test(TESTS)[2] == set()


def test_what_a_failed_call_should_have_given_is_told_with_it():
    raised = "f('tomatoes', 3) raised TypeError: no"
    knowing = "def f(a, b):\n    return 'tomatoes!!!'"
    assert found(("def f(): ...", raised), (knowing, FIRST), ("", "")) == []
