"""The turns that the generator sees, as data: one template per turn, versioned together.

A conversation is a tuple of messages; each engine renders it with its model's own chat template.
The answer is always one fenced Python block, as in the authors' release (METHOD.md, 1.7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

PROMPT_VERSION = "1"

SOLVE = "{statement}\n\nFunction signature:\n{signature}\n"
EXAMPLES = "\nExamples:\n{examples}\n"
TAGS = "\nTags:\n{tags}\n"
DEBUG = "The program fails:\n{feedback}\n\nFix it."

_FENCE = re.compile(r"`{3,}+[ \t]*+([^\s`]*+)[^`]*+$")
_FENCE_AFTER_PROSE = re.compile(r"(?:(?!```).)+`{3,}(\w*)\s*$")
_PYTHON = re.compile(r"(?:py(?:thon)?[\d.]*)?", re.IGNORECASE)
"""What a fence says of its block's language where that is Python: `python`, or often nothing."""


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
    """The code of the first fenced block that is Python or names no language.

    Where there is none, that of the first block of another language; without a block, all of it.
    """
    blocks = list(_blocks(completion))
    programs = [code for language, code in blocks if _PYTHON.fullmatch(language)]
    return [*programs, *(code for _, code in blocks), completion][0].strip("\n")


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """The language and the code of each fenced block; one without an end goes to the text's."""
    language: str | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if language is None:
            if opener := fence or _FENCE_AFTER_PROSE.match(line):
                language = opener.group(1)
        elif not line.startswith("```"):
            lines.append(line)
        else:
            yield language, "\n".join(lines)
            # A fence that names a language begins a block also within one, such as of markdown.
            language, lines = (fence.group(1) or None if fence else None), []
    if language is not None and lines:
        yield language, "\n".join(lines)


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
