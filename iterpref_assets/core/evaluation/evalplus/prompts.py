"""Prompts and answers of HumanEval+ and MBPP+ as evalplus 0.3.1 builds and cuts them."""

from __future__ import annotations

from collections.abc import Sequence

from iterpref_assets.core.answers import read_answer
from iterpref_assets.core.evaluation.evalplus.data import EvalPlusBenchmark, EvalPlusProblem
from iterpref_assets.core.evaluation.evalplus.sanitizer import sanitize
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.prompts import Message, Role

INSTRUCTION = (
    "Please provide a self-contained Python script that solves the following problem in a "
    "markdown code block:"
)
RESPONSE = (
    "Below is a Python script with a self-contained function that solves the problem and passes "
    "corresponding tests:"
)
FENCE_END = "\n```\n"


def messages(problem: EvalPlusProblem, style: PromptStyle) -> tuple[Message, ...]:
    """The conversation that asks for a solution; a last assistant turn is to be continued."""
    prompt = problem.prompt.strip()
    if style is PromptStyle.COMPLETION:
        return (Message(Role.TEXT, prompt + "\n"),)
    if style is PromptStyle.CHAT:
        return (Message(Role.USER, f"{INSTRUCTION}\n```python\n{prompt}\n```"),)
    return (
        Message(Role.USER, f"{INSTRUCTION}\n```\n{prompt}\n```\n"),
        Message(Role.ASSISTANT, f"{RESPONSE}\n```python\n"),
    )


def program(
    problem: EvalPlusProblem, benchmark: EvalPlusBenchmark, style: PromptStyle, completion: str
) -> str:
    """The sanitized program that `completion` stands for; nothing where a chat's answer holds none.

    It ends at the first of `stops`, whether or not the engine ended the completion there.
    """
    if style is PromptStyle.CHAT:
        text = read_answer(completion, problem.entry_point).program or ""
    else:
        text = before_stops(completion, stops(benchmark, style)).replace("\t", "    ")
    if style is PromptStyle.COMPLETION:
        text = problem.prompt.strip() + "\n" + text
    try:
        return sanitize(text, problem.entry_point)
    except (RecursionError, ValueError):
        return text  # nested too deep, or no text: Python's own parser gives up too, so it fails


def stops(benchmark: EvalPlusBenchmark, style: PromptStyle) -> tuple[str, ...]:
    """The texts at which the official harness ends generation; none for a plain chat."""
    from evalplus.provider.utility import EOS, extra_eos_for_direct_completion

    if style is PromptStyle.CHAT:
        return ()
    if style is PromptStyle.PREFILLED:
        return (*EOS, FENCE_END)
    return (*EOS, *extra_eos_for_direct_completion(benchmark.value))


def before_stops(text: str, stops: Sequence[str]) -> str:
    """`text` up to the first of `stops`."""
    found = [at for stop in stops if (at := text.find(stop)) >= 0]
    return text[: min(found, default=len(text))]
