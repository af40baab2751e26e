"""A judge's answers are read strictly, and nothing answered is asked again."""

import asyncio
from pathlib import Path

import pytest

from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request
from iterpref_assets.core.pairs.config import JudgeConfig
from iterpref_assets.core.quality.ratings import (
    Rating,
    RatingFault,
    rate_tests,
    rating_prompt,
    read_rating,
    show_tests,
)
from iterpref_assets.core.records import (
    Case,
    CodeTests,
    FunctionTests,
    Problem,
    RaisingCase,
    StdioCase,
    StdioTests,
)

GOOD = '<scores>{"accuracy": 4, "effectiveness": 5, "reasonableness": 1}</scores>'
TESTS = FunctionTests(
    entry_point="f",
    cases=(Case(arguments="(1,)", expected="2"), RaisingCase(arguments="(0,)", raises="KeyError")),
)
CONFIG = JudgeConfig.model_validate(
    {"engine": {"kind": "openai"}, "model": "judge", "max_in_flight": 1}
)


def problem(name: str) -> Problem:
    return Problem(
        problem_id=name, source="mine", prompt="Add $1.", tests=TESTS, reference="def f(x): ..."
    )


def test_scores_at_the_end_of_an_answer_are_read() -> None:
    assert read_rating(f"They are fine.\n{GOOD}\n", FinishReason.STOP) == Rating(4, 5, 1)


@pytest.mark.parametrize(
    ("answer", "reason", "fault"),
    [
        (GOOD, FinishReason.LENGTH, RatingFault.CUT_OFF),
        ("", FinishReason.UNAVAILABLE, RatingFault.UNANSWERED),
        (f"<think>{GOOD}", FinishReason.STOP, RatingFault.NO_SCORES),
        ("", FinishReason.FILTERED, RatingFault.UNANSWERED),
        ("accuracy: 4", FinishReason.STOP, RatingFault.NO_SCORES),
        (f"{GOOD}\n{GOOD}", FinishReason.STOP, RatingFault.SEVERAL_SCORES),
        ("<scores>4, 5, 1</scores>", FinishReason.STOP, RatingFault.NOT_JSON),
        ("<scores>[4, 5, 1]</scores>", FinishReason.STOP, RatingFault.OTHER_FIELDS),
        (GOOD.replace("accuracy", "Accuracy"), FinishReason.STOP, RatingFault.OTHER_FIELDS),
        (GOOD.replace("}", ', "style": 5}'), FinishReason.STOP, RatingFault.OTHER_FIELDS),
        (GOOD.replace("4", "6"), FinishReason.STOP, RatingFault.OUT_OF_RANGE),
        (GOOD.replace("4", "0"), FinishReason.STOP, RatingFault.OUT_OF_RANGE),
        (GOOD.replace("4", "4.5"), FinishReason.STOP, RatingFault.OUT_OF_RANGE),
        (GOOD.replace("4", "true"), FinishReason.STOP, RatingFault.OUT_OF_RANGE),
    ],
)
def test_each_way_of_giving_no_rating_has_its_name(
    answer: str, reason: FinishReason, fault: RatingFault
) -> None:
    assert read_rating(answer, reason) is fault


def test_the_judge_sees_task_solution_and_tests() -> None:
    prompt = rating_prompt(problem("a"))
    assert "Add $1." in prompt
    assert "def f(x): ..." in prompt
    assert "assert f(*(1,)) == 2\nwith raises(KeyError): f(*(0,))" in prompt


def test_tests_of_every_kind_are_shown_and_many_are_cut_short() -> None:
    assert show_tests(CodeTests(code="assert True\n")) == "assert True"
    many = StdioTests(cases=tuple(StdioCase(stdin=str(n), stdout="x") for n in range(50)))
    lines = show_tests(many).splitlines()
    assert (len(lines), lines[-1]) == (41, "# ... and 10 more of the kind")


class Scripted:
    description = "scripted"

    def __init__(self, dies_after: int = 99) -> None:
        self.asked: list[str] = []
        self.dies_after = dies_after

    async def generate(self, request: Request) -> Completion:
        if len(self.asked) == self.dies_after:
            raise RuntimeError("killed")
        self.asked.append(request.key)
        return Completion(request.key, GOOD, 1, 1, FinishReason.STOP, request.seed)


def test_a_restart_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    problems = [problem(name) for name in "abc"]
    with pytest.raises(RuntimeError, match="killed"):
        asyncio.run(rate_tests(problems, Scripted(dies_after=2), CONFIG, tmp_path))
    again = Scripted()
    answers = asyncio.run(rate_tests(problems, again, CONFIG, tmp_path))
    assert again.asked == ["c#0#0"]
    assert answers["problem_id"].to_list() == ["a", "b", "c"]
