"""Prompts and answers of LiveCodeBench's code generation, for chat models and for base models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from iterpref_assets.core.answers import read_answer
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.livecodebench.data import LiveCodeBenchProblem
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.prompts import Message, Role

SYSTEM = (
    "You are an expert Python programmer. You will be given a question (problem specification) and "
    "will generate a correct Python program that matches the specification and passes all tests. "
    "You will NOT return anything except for the program."
)
WITH_STARTER = (
    "You will use the following starter code to write the solution to the problem and enclose your "
    "code within delimiters."
)
WITHOUT_STARTER = (
    "Read the inputs from stdin solve the problem and write the answer to stdout (do not directly "
    "test on the sample inputs). Enclose your code within delimiters as follows."
)
STOP = "###"


class LiveCodeBenchExample(BaseModel):
    """A solved problem, by the official file's field names."""

    question: str
    answer: str
    sample_code: str = ""


@dataclass(frozen=True, slots=True)
class LiveCodeBenchExamples:
    """The example that is shown first: for problems with starter code, and for the others."""

    with_starter: LiveCodeBenchExample
    without_starter: LiveCodeBenchExample


_EXAMPLES = TypeAdapter(list[LiveCodeBenchExample])


def load_examples(folder: Path) -> LiveCodeBenchExamples:
    """The first examples of the official files `func.json` and `stdin.json`.

    Raises:
        InputError: where one is missing or holds no example.
    """
    return LiveCodeBenchExamples(*(_first(folder / name) for name in ("func.json", "stdin.json")))


def _first(path: Path) -> LiveCodeBenchExample:
    remedy = "Give the files of LiveCodeBench's repository unchanged"
    try:
        return _EXAMPLES.validate_json(path.read_bytes())[0]
    except FileNotFoundError:
        raise InputError("no such file", file=path, remedy=remedy) from None
    except (ValidationError, IndexError):
        raise InputError("holds no solved example", file=path, remedy=remedy) from None


def messages(
    problem: LiveCodeBenchProblem, style: PromptStyle, examples: LiveCodeBenchExamples | None
) -> tuple[Message, ...]:
    """The generic chat prompt, its system text leading the user turn, or the base models' text."""
    if style is PromptStyle.COMPLETION and examples is not None:
        example = examples.with_starter if problem.starter_code else examples.without_starter
        asked = LiveCodeBenchExample(
            question=problem.question, answer="", sample_code=problem.starter_code
        )
        text = _shown(example, problem.starter_code) + _shown(asked, problem.starter_code)
        return (Message(Role.TEXT, text),)
    starter = problem.starter_code
    wanted = WITH_STARTER if starter else WITHOUT_STARTER
    text = (
        f"{SYSTEM}\n\n### Question:\n{problem.question}\n\n"
        f"### Format: {wanted}\n```python\n{starter or '# YOUR CODE HERE'}\n```\n\n"
        "### Answer: (use the provided format with backticks)\n\n"
    )
    return (Message(Role.USER, text),)


def _shown(example: LiveCodeBenchExample, starter_code: str) -> str:
    """One example for base models; the starter code is part of it where the problem has some."""
    starter = f"### Starter Code\n{example.sample_code}\n\n" if starter_code else ""
    answer = f"{example.answer}\n\n" if example.answer else ""
    return f"### Question\n{example.question}\n\n{starter}### Answer\n\n{answer}"


def program(problem: LiveCodeBenchProblem, style: PromptStyle, completion: str) -> str:
    """What a base model wrote up to the next question, or the program in a chat's answer."""
    if style is PromptStyle.COMPLETION:
        return completion.partition(STOP)[0].strip()
    wanted = "Solution" if "class Solution" in problem.starter_code else problem.method
    return read_answer(completion, wanted).program or ""
