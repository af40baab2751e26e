"""What reasoning models write before they answer, which is no answer."""

from __future__ import annotations

import re

_NAMES = "think|thinking|reasoning"
_BEGINS = re.compile(rf"(?<!\S)<(?:{_NAMES})(?:\s[^<>\n]*)?>", re.IGNORECASE)
_ENDS = re.compile(rf"(?<![`'\"])</(?:{_NAMES})>(?![`'\"])", re.IGNORECASE)
"""A tag in quotes is spoken of."""


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
