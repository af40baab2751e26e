"""The text that the lab's base model learns from: solve turns and debug turns.

Only combinations of features of the pretraining pool occur, neither those of the training shards
nor the held-out ones, so that the model has to compose what it knows for both.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

from iterpref_assets.core.conversations import lab_debug_conversation
from iterpref_assets.core.lab.damage import damage_code
from iterpref_assets.core.lab.evaluation import load_function
from iterpref_assets.core.lab.inputs import Arguments, edge_inputs, input_pool
from iterpref_assets.core.lab.programs import Pool, Program, draw_program, siblings
from iterpref_assets.core.lab.rendering import (
    Wording,
    draw_wording,
    render_code,
    render_signature,
    render_statement,
)
from iterpref_assets.core.prompts import (
    Message,
    problem_conversation,
    problem_prompt,
)
from iterpref_assets.core.randomness import derive_rng
from iterpref_assets.core.records import Case
from iterpref_assets.core.sandbox import feedback
from iterpref_assets.core.sandbox.inside.program import describe, line_of
from iterpref_assets.core.sandbox.outcomes import scrub

TESTS = 12
"""Inputs on which a wrong program is shown to fail; one that passes all is drawn again."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A conversation and the code that answers it."""

    conversation: tuple[Message, ...]
    code: str


def draw_lessons(seed: int, debug_share: float) -> Iterator[Lesson]:
    """Lessons without end, each drawn by itself; about `debug_share` of them are debug turns."""
    for number in itertools.count():
        rng = derive_rng("lab corpus", seed, number)
        program = draw_program(rng)
        while program.pool is not Pool.PRETRAINING:
            program = draw_program(rng)
        yield _lesson(program, rng, debug=rng.random() < debug_share)


def _lesson(program: Program, rng: random.Random, *, debug: bool) -> Lesson:
    wording = draw_wording(program, rng)
    code = render_code(program, wording)
    statement = render_statement(program, wording, rng)
    prompt = problem_prompt(statement, render_signature(program, wording))
    failure = _draw_failure(program, wording, rng) if debug else None
    if failure is None:
        return Lesson(problem_conversation(prompt), code)
    return Lesson(lab_debug_conversation(prompt, *failure), code)


def _draw_failure(program: Program, wording: Wording, rng: random.Random) -> tuple[str, str] | None:
    """A wrong version of `program` and what it is told, or None where four drawn are right."""
    function = load_function(render_code(program, wording), wording.entry_point)
    pool = input_pool(program.walk.name)
    inputs = (*edge_inputs(program.walk), *rng.sample(pool, TESTS))
    cases = [(arguments, repr(function(*arguments))) for arguments in inputs[:TESTS]]
    for _ in range(4):
        wrong = _draw_wrong(program, wording, rng)
        message = _first_failure(wrong, wording.entry_point, cases)
        if message is not None:
            return wrong, message
    return None


def _draw_wrong(program: Program, wording: Wording, rng: random.Random) -> str:
    """One feature changed (half the time), two, three, or the text damaged."""
    roll = rng.random()
    if roll > 0.8:  # noqa: PLR2004
        return damage_code(render_code(program, wording), rng)
    changed = program
    for _ in range(1 if roll < 0.5 else 2 if roll < 0.7 else 3):  # noqa: PLR2004
        changed = rng.choice(list(siblings(changed)))
    return render_code(changed, wording)


def _first_failure(code: str, entry_point: str, cases: list[tuple[Arguments, str]]) -> str | None:
    try:
        function = load_function(code, entry_point)
    except SyntaxError as error:
        return f"the program {_raised(error, code)}"
    except KeyError:
        return feedback.no_such_function(entry_point)
    for arguments, expected in cases:
        case = Case(arguments=repr(arguments), expected=expected)
        try:
            actual = repr(function(*arguments))
        except Exception as error:  # noqa: BLE001 - whatever a damaged program raises
            return f"{feedback.call(entry_point, case)} {_raised(error, code)}"
        if actual != expected:
            return feedback.wrong_answer(entry_point, case, scrub(actual))
    return None


def _raised(error: Exception, code: str) -> str:
    name, message = describe(error)
    return feedback.exception(name, message, feedback.source_line(code, line_of(error)))
