"""What is scored: a conversation, the program its completion stands for, and what decides it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from iterpref_assets.core.answers import read_answer
from iterpref_assets.core.conversations import Prompts
from iterpref_assets.core.engines.checkpoint import has_chat_template
from iterpref_assets.core.prompts import Message
from iterpref_assets.core.reached import judge_reached
from iterpref_assets.core.records import Problem, Tests
from iterpref_assets.core.sandbox.code_tests import ProxiedTests
from iterpref_assets.core.sandbox.verdicts import Execution, Limits


class PromptStyle(StrEnum):
    """How a model is asked.

    PREFILLED: a chat whose answer is begun for it, where the harness does so (evalplus's vllm and
        hf back ends).
    CHAT: a plain chat (evalplus's openai back end; for servers, which cannot begin an answer).
    COMPLETION: bare text to continue, for base models.
    """

    PREFILLED = "prefilled"
    CHAT = "chat"
    COMPLETION = "completion"


def style_of(model: Path, *, as_base: bool) -> PromptStyle:
    """How the model of a checkpoint's folder is asked: in a chat if its tokenizer renders one.

    `as_base` asks it as a base model all the same.
    """
    is_chat = has_chat_template(model) and not as_base
    return PromptStyle.PREFILLED if is_chat else PromptStyle.COMPLETION


class ProgramJudge(Protocol):
    """The part of the sandbox that a problem's tests need; callable from several threads."""

    def judge(
        self, code: str, tests: Tests | ProxiedTests, limits: Limits | None = None
    ) -> Execution:
        """Run `code` against `tests`."""
        ...


JudgeT_contra = TypeVar("JudgeT_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one program came to; `plus` is None where a task has no plus tests."""

    base: Execution
    plus: Execution | None = None

    @property
    def execution(self) -> Execution:
        """The first part that failed, or the last where all passed."""
        return self.plus if self.base.passed and self.plus is not None else self.base


class Question(Protocol):
    """What one task of a benchmark asks: its conversation, and the program in what answers it."""

    @property
    def task_id(self) -> str:
        """The task's name, unique in its benchmark."""
        ...

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation that asks for a solution."""
        ...

    @property
    def stops(self) -> tuple[str, ...]:
        """Texts at the first of which `program` ends a completion; none for a chat's."""
        ...

    def program(self, completion: str) -> str:
        """The program that `completion` stands for; called from several threads at once."""
        ...


class EvaluationTask(Question, Protocol[JudgeT_contra]):
    """One task of a benchmark: plain data that any sandbox of its kind can judge."""

    @property
    def has_plus(self) -> bool:
        """Whether a second, stricter set of tests is asked too."""
        ...

    def judge(self, code: str, sandbox: JudgeT_contra) -> Judgement:
        """Run the program against the task's tests; called from several threads at once."""
        ...


@dataclass(frozen=True, slots=True)
class ProblemTask:
    """A problem of the lab, or of any table of problems."""

    task_id: str
    messages: tuple[Message, ...]
    tests: Tests
    entry_point: str = ""
    limits: Limits | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """The whole answer is read."""
        return ()

    @property
    def has_plus(self) -> bool:
        """A problem has one set of tests."""
        return False

    def program(self, completion: str) -> str:
        """The program that the completion holds, or nothing."""
        return read_answer(completion, self.entry_point).program or ""

    def judge(self, code: str, sandbox: ProgramJudge) -> Judgement:
        """Run what counts of the program (`judge_reached`) against the problem's tests."""
        judge = partial(sandbox.judge, limits=self.limits)
        _, execution = judge_reached(code, self.tests, judge)
        return Judgement(execution)


def problem_tasks(
    problems: Sequence[Problem], prompts: Prompts, limits: Limits | None = None
) -> list[ProblemTask]:
    """One task per problem, in their order."""
    return [
        ProblemTask(each.problem_id, prompts.solve(each), each.tests, each.entry_point, limits)
        for each in problems
    ]
