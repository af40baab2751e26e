"""The page of evaluations: each task's program, the call that failed, and what two models changed.

A task is won where the second model's answer passes and the first one's does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from iterpref_assets.core.evaluation.scores import SampleStatus
from iterpref_assets.core.pages.answers import ShownAnswer, share_passed
from iterpref_assets.core.pages.blocks import (
    Block,
    Tone,
    changed,
    failure_words,
    heading,
    program,
    side_by_side,
    table,
    text,
    whole,
)
from iterpref_assets.core.pages.page import Entry, write_page

PASSED, BASE_ONLY, FAILED, NOT_RUN = "passed", "passed base tests alone", "failed", "not run"
WON, LOST, BOTH, NEITHER, ONE_SIDED = (
    "won", "lost", "both pass", "both fail", "one has no answer",
)  # fmt: skip
_TONES = {WON: Tone.GOOD, LOST: Tone.BAD}
"""What changed stands out."""


@dataclass(frozen=True)
class ShownModel:
    """A model's answers under the name that it is shown by."""

    name: str
    answers: Sequence[ShownAnswer]


def write_evaluation_page(
    model: ShownModel, prompts: Mapping[str, str], out: Path, title: str
) -> int:
    """Write the page of one model's answers and return how many there are.

    Args:
        model: its answers.
        prompts: what tasks ask, by task_id; those that are not there are shown without.
        out: the HTML file.
        title: its heading.
    """
    entries = (_entry(each, model.name, prompts) for each in model.answers)
    facts = [f"{model.name}: {share_passed(model.answers)}"]
    return write_page(out, title, ("Outcome", "Error"), entries, facts)


def write_comparison_page(
    first: ShownModel, second: ShownModel, prompts: Mapping[str, str], out: Path, title: str
) -> int:
    """Write the page of two models' answers to the same tasks; return how many there are.

    Answers stand beside each other by task and number, those that one model alone has too.
    """
    met = _met(first.answers, second.answers)
    changes = Counter(_change(*each) for each in met)
    entries = (_pair_entry(left, right, first, second, prompts) for left, right in met)
    filters = ("Change", f"Error of {first.name}", f"Error of {second.name}")
    facts = [
        f"{first.name}: {share_passed(first.answers)}",
        f"{second.name}: {share_passed(second.answers)}",
        f"{changes[WON]:,} won, {changes[LOST]:,} lost",
    ]
    return write_page(out, title, filters, entries, facts)


def _met(
    first: Sequence[ShownAnswer], second: Sequence[ShownAnswer]
) -> list[tuple[ShownAnswer | None, ShownAnswer | None]]:
    left = {(each.task_id, each.sample): each for each in first}
    right = {(each.task_id, each.sample): each for each in second}
    return [(left.get(key), right.get(key)) for key in dict.fromkeys([*left, *right])]


def _change(left: ShownAnswer | None, right: ShownAnswer | None) -> str:
    if left is None or right is None or not (left.was_run and right.was_run):
        return ONE_SIDED
    if left.passed == right.passed:
        return BOTH if left.passed else NEITHER
    return WON if right.passed else LOST


def _outcome(answer: ShownAnswer) -> str:
    if not answer.was_run:
        return NOT_RUN
    if answer.passed:
        return PASSED
    return BASE_ONLY if answer.statuses.base is SampleStatus.PASS else FAILED


def _words(answer: ShownAnswer | None) -> str:
    """How an answer ended, in a word or two."""
    if answer is None:
        return "no answer"
    if answer.passed:
        return PASSED
    return failure_words(answer.verdict, answer.error_type)


def _name(answer: ShownAnswer) -> str:
    return f"{answer.task_id} #{answer.sample}" if answer.sample else answer.task_id


def _entry(answer: ShownAnswer, model: str, prompts: Mapping[str, str]) -> Entry:
    outcome = _outcome(answer)
    tone = Tone.GOOD if answer.passed else Tone.BAD if answer.was_run else Tone.PLAIN
    words = _words(answer)
    return Entry(
        name=_name(answer),
        note=outcome if words == outcome else f"{outcome}: {words}",
        tone=tone,
        facets=([outcome], [] if answer.passed else [words]),
        blocks=[
            *_task(answer.task_id, prompts),
            heading("Answer", words, tone),
            _told(("", model), [answer]),
            program("Program", whole(answer.program)),
        ],
    )


def _pair_entry(
    left: ShownAnswer | None,
    right: ShownAnswer | None,
    first: ShownModel,
    second: ShownModel,
    prompts: Mapping[str, str],
) -> Entry:
    change = _change(left, right)
    words = _words(left), _words(right)
    known = left or right
    if known is None:
        raise ValueError("neither model has an answer")
    return Entry(
        name=_name(known),
        note=change if words[0] == words[1] == PASSED else f"{change}: {words[0]} → {words[1]}",
        tone=_TONES.get(change, Tone.PLAIN),
        facets=([change], *[[] if word == PASSED else [word] for word in words]),
        blocks=[
            *_task(known.task_id, prompts),
            heading("Answers", change, _TONES.get(change, Tone.PLAIN)),
            _told(("", first.name, second.name), [left, right]),
            heading("Programs"),
            *_programs(left, right, first.name, second.name),
        ],
    )


def _task(name: str, prompts: Mapping[str, str]) -> Iterator[Block]:
    if prompt := prompts.get(name):
        yield text("Task", prompt)


def _told(header: Sequence[str], answers: Sequence[ShownAnswer | None]) -> Block:
    """What is known of each answer, a column each; rows that no answer fills are left out."""
    rows = [
        ("Tests", [_statuses(each) for each in answers]),
        ("Verdict", [_words(each) for each in answers]),
        ("Failing call", [each.call if each else "" for each in answers]),
        ("Expected", [each.expected if each else "" for each in answers]),
        ("Actual", [each.actual if each else "" for each in answers]),
        ("Message", [each.message if each else "" for each in answers]),
    ]
    return table(header, [(name, *cells) for name, cells in rows if any(cells)])


def _statuses(answer: ShownAnswer | None) -> str:
    if answer is None:
        return ""
    base, plus = answer.statuses.base, answer.statuses.plus
    return base.value if plus is None else f"base {base.value}, plus {plus.value}"


def _programs(
    left: ShownAnswer | None, right: ShownAnswer | None, first: str, second: str
) -> Iterator[Block]:
    if left and right:
        yield side_by_side(first, second, changed(left.program, right.program))
        return
    for answer, name in ((left, first), (right, second)):
        if answer:
            yield program(name, whole(answer.program))
