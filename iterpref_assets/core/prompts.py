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

_OPENER = re.compile(
    r"""
    ^(?: `{3,}+
      | (?:[^`\n]|`{1,2}(?!`))++ `{3,}+ (?= \w* [ \t\r]* $ )  # at the end of a line of prose
    )
    [ \t]*+ ([^\s`]*+) [^`\n]*+ \n
    """,
    re.VERBOSE | re.MULTILINE,
)
_CLOSER = re.compile(r"^`{3,}+([^\s`]*+).*$", re.MULTILINE)
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
    opener = _OPENER.search(text)
    while opener is not None:
        closer = _CLOSER.search(text, opener.end())
        end = len(text) if closer is None else closer.start()
        yield opener.group(1), text[opener.end() : end]
        if closer is None:
            return
        # A fence that names a language begins a block also within one, such as one of markdown.
        opener = closer if closer.group(1) else _OPENER.search(text, closer.end())


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
