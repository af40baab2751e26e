"""What reasoning models write before they answer, which is no answer."""

from __future__ import annotations

import re

_NAMES = "think|thinking|reasoning"
_BEGINS = re.compile(rf"(?<!\S)<(?:{_NAMES})(?:\s[^<>\n]*)?>", re.IGNORECASE)
_ENDS = re.compile(rf"(?<![`'\"])</(?:{_NAMES})>(?![`'\"])", re.IGNORECASE)
"""A tag in quotes is spoken of."""
_OPEN_AT_END = re.compile(rf"<(?:{_NAMES})>\s*\Z", re.IGNORECASE)


def without_reasoning(text: str) -> str | None:
    """What stands outside reasoning; None where there is nothing before one that has no end.

    Chat templates may begin the reasoning themselves, so an end of it may have no beginning.
    """
    ended = _ENDS.search(text)
    begun = _BEGINS.search(text)
    if ended and not (begun and begun.start() < ended.start()):
        text = text[ended.end() :]
    while begun := _BEGINS.search(text):
        before, reasoning = text[: begun.start()], text[begun.end() :]
        ended = _ENDS.search(reasoning)
        if not ended:
            return before if before.strip() else None
        text = before + reasoning[ended.end() :]
    return text


def opened_by(prompt: str) -> str:
    """The beginning of reasoning that a rendered prompt ends with; empty where there is none.

    What a model goes on with there is reasoning, and an answer that was cut off within it does not
    show that by itself.
    """
    found = _OPEN_AT_END.search(prompt)
    return found[0] if found else ""
