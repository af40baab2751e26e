"""What a generator is asked, turn by turn: templates, and the options that were measured.

The texts are files of `templates/`, told apart by their digests, which enter every artifact that
depends on them. The lab's model knows the lab's texts alone, since it was trained on them.
docs/DEBUGGING.md has what a real model made of each option.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field, JsonValue

from iterpref_assets.core.prompts import EXAMPLES, Message, Role, fenced
from iterpref_assets.core.records import Case, FunctionTests, Problem, Record, Tests
from iterpref_assets.core.sandbox.feedback import (
    assertion,
    call,
    shorten,
    told_case,
    what_came_back,
)
from iterpref_assets.core.templates import load_template


class Templates(StrEnum):
    """The sets of templates that there are."""

    CHAT = "chat"
    """For models that follow instructions."""
    LAB = "lab"
    """What the lab's own model was trained on, and all that it knows."""


class DebugTurn(StrEnum):
    """What a failing program is followed by."""

    CONTINUE = "continue"
    """The conversation goes on with the program and what is wrong with it."""
    RESTART = "restart"
    """The problem is asked anew; the calls that earlier programs failed are further examples of it,
    and the programs are not shown."""


class PromptConfig(Record):
    """How a generator is asked, and asked again."""

    templates: Templates = Field(
        Templates.CHAT,
        description="Which set of texts; `lab` is for models that `commands.lab_model` trained, "
        "and brings their values of the other options",
    )
    system: str = Field(
        default="", description="A system turn before every conversation; none if empty"
    )
    example_test: bool = Field(
        default=True,
        description="Show a problem's first test where its statement shows no call, as MBPP does",
    )
    debug_turn: DebugTurn = Field(
        DebugTurn.RESTART, description="Whether debugging shows the program or asks anew"
    )
    history: int = Field(
        5, ge=0, description="Failing versions that a debugging turn tells of besides the last"
    )
    retries: int = Field(
        2,
        ge=0,
        description="Times that a debugging round asks again, where the answer holds no program "
        "or one that was tried before",
    )


LAB_PROMPTS = PromptConfig(
    templates=Templates.LAB,
    example_test=False,
    debug_turn=DebugTurn.CONTINUE,
    history=0,
    retries=0,
)
"""What the lab's model was trained on."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A failing version and what came of running it."""

    code: str
    feedback: str


class Prompts:
    """Makes the conversations that one configuration asks for."""

    def __init__(self, config: PromptConfig) -> None:
        self.config = config
        prefix = "lab_" if config.templates is Templates.LAB else ""
        self._solve = load_template(f"{prefix}solve")
        self._debug = load_template(f"{prefix}debug")

    def identity(self) -> dict[str, JsonValue]:
        """What conversations depend on besides problems and versions, as it goes into manifests."""
        return {
            **self.config.model_dump(mode="json"),
            "versions": {each.name: each.version for each in (self._solve, self._debug)},
        }

    @classmethod
    def of_identity(cls, identity: JsonValue) -> Prompts:
        """The prompts that have an identity, but for the templates' versions."""
        options = dict(identity) if isinstance(identity, dict) else {}
        options.pop("versions", None)
        return cls(PromptConfig.model_validate(options))

    def statement(self, problem: Problem) -> str:
        """The problem as it is shown, with an example where the options ask for one."""
        return _with_examples(problem.prompt, self._first_examples(problem))

    def shows_test(self, problem: Problem) -> bool:
        """Whether a test is shown as an example that the statement itself does not show."""
        return bool(self._first_examples(problem))

    def solve(self, problem: Problem) -> tuple[Message, ...]:
        """The conversation that asks for a first program."""
        return self._asked(self.statement(problem))

    def debug(
        self, problem: Problem, attempts: Sequence[Attempt], *, repeated: bool = False
    ) -> tuple[Message, ...]:
        """The conversation that asks for another program after failing ones.

        Args:
            problem: what is to be solved.
            attempts: the failing versions so far, oldest first; without one the problem is asked
                as at first.
            repeated: whether the last answer was a program that had been tried before.
        """
        told = attempts[-self.config.history - 1 :]
        if not told:
            return self.solve(problem)
        if self.config.debug_turn is DebugTurn.RESTART:
            return self._asked(self._restated(problem, told, repeated=repeated))
        turns = [*self.solve(problem)]
        for attempt in told:
            failure = self._debug.fill(
                failure=_described(problem.tests, attempt.feedback, self.config.templates),
                again=f"{_REPEATED}\n\n" if repeated and attempt is told[-1] else "",
            )
            turns += [Message(Role.ASSISTANT, fenced(attempt.code)), Message(Role.USER, failure)]
        return tuple(turns)

    def tests_in_order(self, problem: Problem, attempts: Sequence[Attempt]) -> Tests:
        """The problem's tests, those not told yet first, for the version that follows `attempts`.

        A version's failure is the first one: of a test already told, it would tell nothing new to
        a turn that shows tests alone. Where programs are shown, the tests keep their order.
        """
        tests = problem.tests
        if self.config.debug_turn is DebugTurn.CONTINUE or not isinstance(tests, FunctionTests):
            return tests
        told = [told_case(tests, attempt.feedback) for attempt in attempts]
        shown = self.statement(problem)
        is_new = [
            case not in told
            and not (isinstance(case, Case) and assertion(tests.entry_point, case) in shown)
            for case in tests.cases
        ]
        first = [case for case, new in zip(tests.cases, is_new, strict=True) if new]
        last = [case for case, new in zip(tests.cases, is_new, strict=True) if not new]
        return tests.model_copy(update={"cases": (*first, *last)})

    def _asked(self, problem: str) -> tuple[Message, ...]:
        system = (Message(Role.SYSTEM, self.config.system),) if self.config.system else ()
        return (*system, Message(Role.USER, self._solve.fill(problem=problem)))

    def _first_examples(self, problem: Problem) -> list[str]:
        if not self.config.example_test or not isinstance(problem.tests, FunctionTests):
            return []
        shown = problem.prompt.replace(problem.signature, "")
        if f"{problem.tests.entry_point}(" in shown:
            return []
        plain = [case for case in problem.tests.cases if isinstance(case, Case)]
        return [assertion(problem.tests.entry_point, case) for case in plain[:1]]

    def _restated(self, problem: Problem, told: Sequence[Attempt], *, repeated: bool) -> str:
        """The problem with the calls that programs failed, and what cannot be told by a call."""
        examples, others = self._first_examples(problem), list[str]()
        for attempt in told:
            case = told_case(problem.tests, attempt.feedback)
            if isinstance(case, Case) and isinstance(problem.tests, FunctionTests):
                examples.append(assertion(problem.tests.entry_point, case))
            else:
                others.append(attempt.feedback)
        text = _with_examples(problem.prompt, list(dict.fromkeys(examples)))
        notes = [f"An earlier program failed: {each}" for each in dict.fromkeys(others)]
        notes += [_REPEATED] if repeated else []
        return "\n\n".join([text.strip(), *notes])


_REPEATED = "This program was tried before and fails. Write a different one."


def lab_debug_conversation(prompt: str, code: str, failure: str) -> tuple[Message, ...]:
    """The conversation of a debugging turn as the lab's model learns it."""
    turn = load_template("lab_debug").fill(failure=failure.strip(), again="")
    return (
        Message(Role.USER, prompt),
        Message(Role.ASSISTANT, fenced(code)),
        Message(Role.USER, turn),
    )


def _with_examples(prompt: str, examples: Sequence[str]) -> str:
    """The problem with examples behind those that it has itself."""
    new = [each for each in examples if each not in prompt]
    if not new:
        return prompt
    listed = "\n".join(new)
    heading, found, shown = prompt.partition("\nExamples:\n")
    if not found:
        return prompt.rstrip("\n") + "\n" + EXAMPLES.format(examples=listed)
    own, tags, rest = shown.partition("\nTags:\n")
    return f"{heading}{found}{own.rstrip()}\n{listed}\n{tags}{rest}"


def _described(tests: Tests, feedback: str, templates: Templates) -> str:
    """A failure as a debugging turn tells it; the lab's is the feedback alone."""
    case = told_case(tests, feedback) if templates is Templates.CHAT else None
    if case is None or not isinstance(tests, FunctionTests):
        return feedback.strip()
    expected = case.expected if isinstance(case, Case) else f"{case.raises} is raised"
    return (
        f"Called: {call(tests.entry_point, case)}\nExpected: {shorten(expected)}\n"
        f"What came back: {what_came_back(tests, case, feedback)}"
    )
