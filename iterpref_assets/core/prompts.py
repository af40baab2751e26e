"""Problems as text, and conversations as tuples of messages.

Each engine renders a conversation with its model's own chat template. Programs stand in one fenced
Python block, as in the authors' release (METHOD.md, 1.7). What a generator is asked, turn by turn,
is in `conversations.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SOLVE = "{statement}\n\nFunction signature:\n{signature}\n"
EXAMPLES = "\nExamples:\n{examples}\n"
FENCE = "```"
TAGS = "\nTags:\n{tags}\n"


class Role(StrEnum):
    """Who speaks in a message; TEXT is no chat at all but bare text that the model continues."""

    SYSTEM = "system"
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
    return f"{FENCE}python\n{code.strip(chr(10))}\n{FENCE}"


def problem_conversation(prompt: str) -> tuple[Message, ...]:
    """The conversation that states a problem and no more; what is trained on answers it."""
    return (Message(Role.USER, prompt),)
