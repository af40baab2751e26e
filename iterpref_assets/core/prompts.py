"""The turns that the generator sees, as data: one template per turn, versioned together.

A conversation is a tuple of messages; each engine renders it with its model's own chat template.
The answer is always one fenced Python block, as in the authors' release (METHOD.md, 1.7).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

PROMPT_VERSION = "1"

SOLVE = "{statement}\n\nFunction signature:\n{signature}\n"
EXAMPLES = "\nExamples:\n{examples}\n"
TAGS = "\nTags:\n{tags}\n"
DEBUG = "The program fails:\n{feedback}\n\nFix it."

_FENCE = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)(?:\n```|\Z)", re.DOTALL)


class Role(StrEnum):
    """Who speaks in a message; TEXT is no chat at all but bare text that the model continues."""

    USER = "user"
    ASSISTANT = "assistant"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


def problem_prompt(statement: str, signature: str) -> str:
    """The user turn that asks for a solution."""
    return SOLVE.format(statement=statement.strip(), signature=signature.strip())


def codeflow_prompt(statement: str, signature: str, examples: str = "", tags: str = "") -> str:
    """The user turn in the form of the authors' release (METHOD.md, 1.7); empty parts left out."""
    prompt = problem_prompt(statement, signature)
    if examples.strip():
        prompt += EXAMPLES.format(examples=examples.strip())
    return prompt + (TAGS.format(tags=tags.strip()) if tags.strip() else "")


def fenced(code: str) -> str:
    """`code` as the assistant turn that holds it: one ```python block."""
    return f"```python\n{code.strip(chr(10))}\n```"


def extract_code(completion: str) -> str:
    """The code of the first fenced block, or the whole text where there is none."""
    match = _FENCE.search(completion)
    return (match.group(1) if match else completion).strip("\n")


def solve_conversation(prompt: str) -> tuple[Message, ...]:
    """The conversation of round 0: the problem alone."""
    return (Message(Role.USER, prompt),)


def debug_conversation(prompt: str, code: str, feedback: str) -> tuple[Message, ...]:
    """The conversation of rounds 1 and up: the problem, the last program, its actual failure."""
    return (
        Message(Role.USER, prompt),
        Message(Role.ASSISTANT, fenced(code)),
        Message(Role.USER, DEBUG.format(feedback=feedback.strip())),
    )
