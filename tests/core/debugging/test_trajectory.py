"""What comes after an answer and after a version."""

from iterpref_assets.core.conversations import Attempt
from iterpref_assets.core.debugging.trajectory import (
    FIRST,
    DebugConfig,
    Generate,
    Judge,
    NextStep,
    Rules,
    after_answer,
    after_version,
)
from iterpref_assets.core.engines.protocol import FinishReason
from iterpref_assets.core.prompts import fenced
from iterpref_assets.core.records import Case, FunctionTests, Problem
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

PROBLEM = Problem(
    problem_id="p",
    source="test",
    prompt="Give 1.",
    entry_point="f",
    tests=FunctionTests(entry_point="f", cases=(Case(arguments="()", expected="1"),)),
)
RULES = Rules(max_rounds=2, retries=1)
CODE = "def f():\n    return 2"
TRIED = (Attempt(CODE, "assert f() == 1  # got 2"),)
REFUSAL = "I cannot help with that."


def after(asked: Generate, text: str, reason: FinishReason = FinishReason.STOP) -> NextStep:
    return after_answer(asked, text, reason, PROBLEM, RULES)


def test_a_program_is_executed() -> None:
    assert after(FIRST, fenced(CODE)) == Judge(0, CODE)


def test_a_program_is_judged_as_it_was_written() -> None:
    whole = f"{CODE}\n\n\nassert f() == 3\nprint(f())"
    assert after(FIRST, fenced(whole)) == Judge(0, whole)


def test_a_program_with_another_example_was_tried_before() -> None:
    again = after(Generate(1, TRIED), fenced(f"{CODE}\n\nprint(f())"))
    assert again == Generate(1, TRIED, retry=1, repeated=True)


def test_a_first_answer_without_a_program_is_asked_for_in_the_next_round() -> None:
    assert after(FIRST, REFUSAL) == Generate(1)


def test_a_program_that_was_cut_off_is_not_executed() -> None:
    assert after(FIRST, f"```python\n{CODE}", FinishReason.LENGTH) == Generate(1)


def test_a_later_answer_without_a_program_is_asked_for_again_in_its_round() -> None:
    assert after(Generate(1, TRIED), REFUSAL) == Generate(1, TRIED, retry=1)


def test_without_retries_left_the_next_round_asks() -> None:
    assert after(Generate(1, TRIED, retry=1), REFUSAL) == Generate(2, TRIED)


def test_in_the_last_round_the_trajectory_ends_without_a_version() -> None:
    assert after(Generate(2, TRIED, retry=1), REFUSAL) is None


def test_a_program_that_was_tried_before_is_said_to_be_so_and_asked_for_again() -> None:
    again = fenced(f"{CODE}  # two")
    assert after(Generate(1, TRIED), again) == Generate(1, TRIED, retry=1, repeated=True)


def test_without_retries_left_a_program_that_was_tried_before_is_executed_like_any_other() -> None:
    assert after(Generate(1, TRIED, retry=1), fenced(CODE)) == Judge(1, CODE, TRIED)


def test_an_unanswered_prompt_ends_the_trajectory() -> None:
    assert after(Generate(1, TRIED), "", FinishReason.PROMPT_TOO_LONG) is None


def test_a_failing_version_is_an_attempt_of_the_next_round() -> None:
    failed = Execution(Verdict.WRONG_ANSWER, message=TRIED[0].feedback)
    assert after_version(Judge(0, CODE), CODE, failed, RULES) == Generate(1, TRIED)


def test_a_passing_version_and_that_of_the_last_round_end_the_trajectory() -> None:
    assert after_version(Judge(0, CODE), CODE, Execution(Verdict.PASSED), RULES) is None
    assert after_version(Judge(2, CODE), CODE, Execution(Verdict.WRONG_ANSWER), RULES) is None


def test_rounds_have_temperatures_of_their_own() -> None:
    config = DebugConfig(temperature=0.1, round_temperatures=(0.5, 0.9))
    assert [config.sampling_in(round_).temperature for round_ in (1, 2, 3)] == [0.5, 0.9, 0.9]
    assert DebugConfig(temperature=0.1).sampling_in(3).temperature == 0.1
