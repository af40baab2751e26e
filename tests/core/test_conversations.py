"""What a generator is asked, turn by turn."""

from typing import Any

import pytest

from iterpref_assets.core.conversations import (
    LAB_PROMPTS,
    Attempt,
    DebugTurn,
    PromptConfig,
    Prompts,
    lab_debug_conversation,
)
from iterpref_assets.core.prompts import Message, Role, codeflow_prompt, fenced, problem_prompt
from iterpref_assets.core.records import Case, CodeTests, FunctionTests, Problem, RaisingCase, Tests

TESTS = FunctionTests(
    entry_point="area",
    cases=(
        Case(arguments="(2, 3)", expected="6"),
        Case(arguments="(4, 4)", expected="16"),
        RaisingCase(arguments="(-1, 1)", raises="ValueError"),
    ),
)
WRONG = Attempt("def area(w, h):\n    return w + h", "assert area(2, 3) == 6  # got 5")
RAISED = Attempt(
    "def area(w, h):\n    return w * x",
    "area(4, 4) raised NameError: name 'x' is not defined, in line 2: return w * x",
)
NOT_LOADED = Attempt("def area(w, h", "the program raised SyntaxError: '(' was never closed")


def problem(tests: Tests = TESTS, prompt: str = "") -> Problem:
    return Problem(
        problem_id="p",
        source="test",
        prompt=prompt or problem_prompt("Give the area.", "def area(w, h):"),
        entry_point="area",
        signature="def area(w, h):",
        tests=tests,
    )


def asked(**options: Any) -> Prompts:
    return Prompts(PromptConfig(**options))


def last(conversation: tuple[Message, ...]) -> str:
    return conversation[-1].content


CONTINUE = asked(debug_turn=DebugTurn.CONTINUE)


def test_the_first_turn_asks_for_one_block_and_nothing_after_it() -> None:
    (turn,) = asked().solve(problem())
    assert turn.role is Role.USER
    assert "\n\nGive the area.\n\nFunction signature:\ndef area(w, h):\n" in turn.content
    assert turn.content.endswith("one ```python block, and nothing after it.")


def test_a_statement_without_a_call_shows_the_first_test() -> None:
    assert "Examples:\nassert area(2, 3) == 6\n" in last(asked().solve(problem()))
    assert asked().shows_test(problem())


def test_a_statement_that_shows_a_call_keeps_its_own_examples_alone() -> None:
    own = codeflow_prompt("Give the area.", "def area(w, h):", "area(1, 1) == 1")
    assert "area(2, 3)" not in last(asked().solve(problem(prompt=own)))
    assert not asked().shows_test(problem(prompt=own))


def test_no_test_is_shown_where_the_option_says_so() -> None:
    assert "area(2, 3)" not in last(asked(example_test=False).solve(problem()))


def test_a_system_turn_comes_first() -> None:
    first, second = asked(system="Be brief.").solve(problem())
    assert (first.role, first.content, second.role) == (Role.SYSTEM, "Be brief.", Role.USER)


def test_a_debugging_turn_says_what_was_called_expected_and_given() -> None:
    conversation = CONTINUE.debug(problem(), [WRONG])
    assert conversation[:1] == CONTINUE.solve(problem())
    assert conversation[1] == Message(Role.ASSISTANT, fenced(WRONG.code))
    assert "Called: area(2, 3)\nExpected: 6\nWhat came back: 5\n" in last(conversation)


def test_a_debugging_turn_has_the_exception_with_its_line_and_what_was_expected() -> None:
    assert (
        "Called: area(4, 4)\nExpected: 16\nWhat came back: raised NameError: name 'x' is not "
        "defined, in line 2: return w * x\n"
    ) in last(CONTINUE.debug(problem(), [RAISED]))


def test_a_call_that_should_have_raised_is_told_so() -> None:
    attempt = Attempt(WRONG.code, "area(-1, 1) returned 0 instead of raising ValueError")
    told = last(CONTINUE.debug(problem(), [attempt]))
    assert "Expected: ValueError is raised\nWhat came back: returned 0 instead of" in told


def test_a_failure_of_no_call_is_told_as_it_is() -> None:
    assert NOT_LOADED.feedback in last(CONTINUE.debug(problem(), [NOT_LOADED]))


def test_earlier_versions_are_earlier_turns() -> None:
    conversation = CONTINUE.debug(problem(), [WRONG, RAISED])
    assert [turn.content for turn in conversation if turn.role is Role.ASSISTANT] == [
        fenced(WRONG.code),
        fenced(RAISED.code),
    ]


def test_without_history_the_last_version_alone_is_shown() -> None:
    brief = asked(debug_turn=DebugTurn.CONTINUE, history=0)
    assert brief.debug(problem(), [WRONG, RAISED]) == brief.debug(problem(), [RAISED])


def test_a_restart_shows_the_failed_calls_as_examples_and_no_program() -> None:
    (turn,) = asked().debug(problem(), [RAISED, WRONG, RAISED])
    assert "Examples:\nassert area(2, 3) == 6\nassert area(4, 4) == 16\n" in turn.content
    assert "return" not in turn.content


def test_a_restart_keeps_the_statements_own_examples_and_tags() -> None:
    own = codeflow_prompt("Give the area.", "def area(w, h):", "area(1, 1) == 1", "geometry")
    (turn,) = asked().debug(problem(prompt=own), [WRONG])
    assert "Examples:\narea(1, 1) == 1\nassert area(2, 3) == 6\n\nTags:\ngeometry" in turn.content


def test_a_restart_tells_what_no_example_can() -> None:
    assert NOT_LOADED.feedback in last(asked().debug(problem(), [NOT_LOADED]))
    file_tests = CodeTests(code="from solution import area\nassert area(2, 3) == 6")
    failed = Attempt(WRONG.code, "assert area(2, 3) == 6 raised AssertionError")
    assert failed.feedback in last(asked().debug(problem(file_tests), [failed]))


@pytest.mark.parametrize("turn", list(DebugTurn))
def test_a_program_that_was_tried_before_is_said_to_be_so(turn: DebugTurn) -> None:
    prompts = asked(debug_turn=turn)
    assert "tried before" in last(prompts.debug(problem(), [WRONG], repeated=True))
    assert "tried before" not in last(prompts.debug(problem(), [WRONG]))


def test_without_a_failing_version_the_problem_is_asked_as_at_first() -> None:
    assert asked().debug(problem(), []) == asked().solve(problem())


def test_the_lab_is_asked_by_the_texts_that_its_model_was_trained_on() -> None:
    lab = Prompts(LAB_PROMPTS)
    prompt = problem().prompt
    assert lab.solve(problem()) == (Message(Role.USER, prompt),)
    expected = (
        Message(Role.USER, prompt),
        Message(Role.ASSISTANT, fenced(WRONG.code)),
        Message(Role.USER, f"The program fails:\n{WRONG.feedback}\n\nFix it."),
    )
    assert lab.debug(problem(), [RAISED, WRONG]) == expected
    assert lab_debug_conversation(prompt, WRONG.code, WRONG.feedback) == expected


def test_an_identity_gives_its_prompts_again() -> None:
    prompts = asked(system="Be brief.", history=1)
    assert Prompts.of_identity(prompts.identity()).identity() == prompts.identity()


def test_every_option_and_every_template_is_in_the_identity() -> None:
    identity = asked().identity()
    assert set(PromptConfig.model_fields) < set(identity)
    assert identity != Prompts(LAB_PROMPTS).identity()
    assert identity["versions"] != Prompts(LAB_PROMPTS).identity()["versions"]


def order(prompts: Prompts, *attempts: Attempt) -> list[str]:
    tests = prompts.tests_in_order(problem(), attempts)
    assert isinstance(tests, FunctionTests)
    return [case.arguments for case in tests.cases]


def test_a_restart_runs_tests_first_that_were_not_told_yet() -> None:
    assert order(asked()) == ["(4, 4)", "(-1, 1)", "(2, 3)"]
    assert order(asked(), RAISED) == ["(-1, 1)", "(2, 3)", "(4, 4)"]
    assert order(asked(example_test=False)) == ["(2, 3)", "(4, 4)", "(-1, 1)"]


def test_tests_keep_their_order_where_programs_are_shown() -> None:
    assert order(CONTINUE, WRONG) == order(Prompts(LAB_PROMPTS), WRONG)
    assert order(CONTINUE, WRONG) == ["(2, 3)", "(4, 4)", "(-1, 1)"]
