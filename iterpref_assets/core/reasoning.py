"""What reasoning models write before they answer, which is no answer."""

from __future__ import annotations

import re

_BEGINS = re.compile(r"^[ \t]*<(think|thinking|reasoning)>", re.MULTILINE)
_ENDS = re.compile(r"</(?:think|thinking|reasoning)>[ \t]*$", re.MULTILINE)


def without_reasoning(text: str) -> str | None:
    """What stands outside reasoning; None where there is nothing before one that has no end.

    Chat templates may begin the reasoning themselves, so an end of it may have no beginning.
    """
    ended = _ENDS.search(text)
    begun = _BEGINS.search(text)
    if ended and not (begun and begun.start() < ended.start()):
        text = text[ended.end() :]
    while begun := _BEGINS.search(text):
        before, after = text[: begun.start()], text[begun.end() :]
        _reasoning, end, behind = after.partition(f"</{begun[1]}>")
        if not end:
            return before if before.strip() else None
        text = before + behind
    return text
