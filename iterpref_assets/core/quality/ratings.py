"""What an LLM says of the tests of problems: accuracy, effectiveness and reasonableness, 1 to 5."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core.answer_log import AnswerLog
from iterpref_assets.core.concurrency import for_each
from iterpref_assets.core.engines.protocol import Engine, FinishReason, Request, Sampling
from iterpref_assets.core.journal import Journal
from iterpref_assets.core.json_lines import parse_json
from iterpref_assets.core.pairs.config import JudgeConfig
from iterpref_assets.core.pairs.judge import answer_identity
from iterpref_assets.core.progress import track
from iterpref_assets.core.prompts import Message, Role
from iterpref_assets.core.randomness import derive_seed
from iterpref_assets.core.reasoning import without_reasoning
from iterpref_assets.core.records import CodeTests, FunctionTests, Problem, RaisingCase, Tests
from iterpref_assets.core.sampling import COMPLETION, LOG, ORDER, completion_key, completion_row
from iterpref_assets.core.sandbox.feedback import shorten
from iterpref_assets.core.tables import COMPLETIONS
from iterpref_assets.core.templates import load_template

CRITERIA = ("accuracy", "effectiveness", "reasonableness")
_LOWEST, _HIGHEST = 1, 5
_SHOWN_CASES = 40
_TEMPLATE = load_template("judge_tests")
_SCORES = re.compile(r"<scores>(.*?)</scores>", re.DOTALL)
_FENCE = re.compile(r"```\w*")


class RatingFault(StrEnum):
    """Why an answer gives no rating.

    CUT_OFF, UNANSWERED: it did not come to its end. NO_SCORES, SEVERAL_SCORES: not one line of
    scores. NOT_JSON; OTHER_FIELDS: not the three criteria; OUT_OF_RANGE: not a whole number from 1
    to 5.
    """

    CUT_OFF = "cut_off"
    UNANSWERED = "unanswered"
    NO_SCORES = "no_scores"
    SEVERAL_SCORES = "several_scores"
    NOT_JSON = "not_json"
    OTHER_FIELDS = "other_fields"
    OUT_OF_RANGE = "out_of_range"


@dataclass(frozen=True, slots=True)
class Rating:
    """The scores, in the order of CRITERIA."""

    accuracy: int
    effectiveness: int
    reasonableness: int


def rating_identity(config: JudgeConfig) -> dict[str, JsonValue]:
    """What ratings depend on: the judge and the template."""
    return answer_identity(config, _TEMPLATE)


async def rate_tests(
    problems: Sequence[Problem], engine: Engine, config: JudgeConfig, work_dir: Path
) -> pl.DataFrame:
    """Ask about each problem's tests; each answer is logged in `work_dir` and never asked twice.

    Returns:
        tables.COMPLETIONS, one answer a problem; `read_rating` says what they mean.

    Raises:
        InputError: where the log is another judge's, or more calls gave no answer than
            `config.max_failed_share` allows.
    """
    settings = rating_identity(config)
    with Journal(work_dir / LOG, settings) as journal, track("Ratings", len(problems)) as tracker:
        log = AnswerLog(journal, COMPLETION, share=config.max_failed_share, total=len(problems))
        done = {row["key"] for _, row in journal.records()}
        tracker.resume(len(done))

        async def ask(problem: Problem) -> None:
            name = problem.problem_id
            request = Request(
                key=completion_key(name, 0, 0),
                messages=(Message(Role.USER, rating_prompt(problem)),),
                sampling=Sampling(temperature=0.0, max_tokens=config.max_tokens),
                seed=derive_seed("rating", name),
            )
            completion = await engine.generate(request)
            row = completion_row(name, 0, 0, completion, engine.description)
            log.keep(row, completion)
            tracker.advance()

        missing = [each for each in problems if completion_key(each.problem_id, 0, 0) not in done]
        await for_each(missing, config.max_in_flight, ask)
        log.tell("Ratings")
        return log.table(COMPLETIONS, ORDER)


def rating_prompt(problem: Problem) -> str:
    """The question about one problem's tests."""
    return _TEMPLATE.fill(
        task=problem.prompt.strip(),
        solution=problem.reference.strip() or "# There is no solution to this task.",
        tests=show_tests(problem.tests),
    )


def show_tests(tests: Tests) -> str:
    """Tests as a reader knows them: assertions, or the test file; the first cases of many."""
    if isinstance(tests, CodeTests):
        return tests.code.strip()
    cases = tests.cases[:_SHOWN_CASES]
    left = len(tests.cases) - len(cases)
    more = [f"# ... and {left} more of the kind"] if left else []
    if isinstance(tests, FunctionTests):
        return "\n".join([*(_call(tests.entry_point, case) for case in cases), *more])
    runs = [f"# given {shorten(c.stdin)!r}, it prints {shorten(c.stdout)!r}" for c in tests.cases]
    return "\n".join([*runs[:_SHOWN_CASES], *more])


def _call(entry_point: str, case: Any) -> str:
    call = f"{entry_point}(*{shorten(case.arguments)})"
    if isinstance(case, RaisingCase):
        return f"with raises({case.raises}): {call}"
    return f"assert {call} == {shorten(case.expected)}"


def read_rating(answer: str, reason: FinishReason) -> Rating | RatingFault:  # noqa: PLR0911
    """What an answer says: one line of scores, three whole numbers from 1 to 5.

    Reasoning (`<think>`) and a fence around the scores do not count.
    """
    if reason is FinishReason.LENGTH:
        return RatingFault.CUT_OFF
    if reason is not FinishReason.STOP:
        return RatingFault.UNANSWERED
    found = _SCORES.findall(without_reasoning(answer) or "")
    if len(found) != 1:
        return RatingFault.SEVERAL_SCORES if found else RatingFault.NO_SCORES
    try:
        scores: Any = parse_json(_FENCE.sub("", found[0]))
    except ValueError:
        return RatingFault.NOT_JSON
    if not isinstance(scores, dict) or set(scores) != set(CRITERIA):
        return RatingFault.OTHER_FIELDS
    values = [scores[name] for name in CRITERIA]
    if not all(type(value) is int and _LOWEST <= value <= _HIGHEST for value in values):
        return RatingFault.OUT_OF_RANGE
    return Rating(*values)
