import pytest

from iterpref_assets.core.records import Case, FunctionTests
from iterpref_assets.core.sandbox import feedback
from iterpref_assets.core.sandbox.verdicts import Verdict

CASE = Case(arguments="([1, 2],)", expected="[4]")


def test_a_wrong_answer_shows_the_assertion_and_what_came_instead():
    text = feedback.wrong_answer("double_evens", CASE, "[2]")
    assert text == "assert double_evens([1, 2]) == [4]  # got [2]"


def test_an_exception_shows_its_class_its_message_and_its_line():
    text = feedback.exception("IndexError", "list index out of range", "2: return items[9]")
    assert text == "raised IndexError: list index out of range, in line 2: return items[9]"


def test_an_exception_without_message_and_line_ends_with_its_class():
    assert feedback.exception("ValueError", "") == "raised ValueError"


def test_an_exception_in_place_of_another_names_both():
    assert feedback.exception("KeyError", "'a'", "", "ValueError") == (
        "raised KeyError, and not ValueError: 'a'"
    )


def test_addresses_and_line_breaks_leave_an_exception_message():
    text = feedback.exception("TypeError", "bad <object at 0x7f00aa>\nagain")
    assert text == "raised TypeError: bad <object> again"


@pytest.mark.parametrize(("number", "shown"), [(2, "2: return 1"), (0, ""), (3, ""), (-1, "")])
def test_a_line_is_shown_with_its_number_where_the_program_has_it(number: int, shown: str):
    assert feedback.source_line("def f():\n    return 1", number) == shown


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [("()", "f()"), ("(1,)", "f(1)"), ("(1, 'a,')", "f(1, 'a,')"), ("((1, 2),)", "f((1, 2))")],
)
def test_a_call_shows_the_arguments_without_the_tuple_around_them(arguments: str, shown: str):
    assert feedback.call("f", Case(arguments=arguments, expected="0")) == shown


def test_time_and_memory_are_told_apart():
    assert feedback.limit_hit("f", CASE, Verdict.TIMEOUT) == "f([1, 2]) ran out of time"
    assert feedback.limit_hit("f", CASE, Verdict.MEMORY) == "f([1, 2]) ran out of memory"


def test_a_verdict_that_is_no_limit_is_refused():
    with pytest.raises(KeyError):
        feedback.limit_hit("f", CASE, Verdict.PASSED)


def test_a_long_literal_keeps_both_ends_and_the_bound():
    text = feedback.shorten("a" * 500 + "z" * 500)
    assert text.startswith("aaa")
    assert text.endswith("zzz")
    assert len(text) <= feedback.MAX_LITERAL


def long_call(middle: int, expected: str) -> Case:
    numbers = [0] * 60 + [middle] + [0] * 60
    return Case(arguments=f"({numbers},)", expected=expected)


def test_calls_that_look_the_same_shortened_are_told_apart_by_what_was_expected():
    first, second = long_call(1, "1"), long_call(7, "7")
    tests = FunctionTests(entry_point="f", cases=(first, second))
    assert feedback.call("f", first) == feedback.call("f", second)
    assert feedback.told_case(tests, feedback.wrong_answer("f", second, "1")) == second


def test_a_message_that_fits_several_calls_is_about_none():
    tests = FunctionTests(entry_point="f", cases=(long_call(1, "1"), long_call(7, "7")))
    message = feedback.limit_hit("f", tests.cases[1], Verdict.TIMEOUT)
    assert feedback.told_case(tests, message) is None


def test_a_message_about_a_case_that_is_there_twice_is_about_that_case():
    tests = FunctionTests(entry_point="f", cases=(CASE, CASE))
    assert feedback.told_case(tests, feedback.limit_hit("f", CASE, Verdict.MEMORY)) == CASE
