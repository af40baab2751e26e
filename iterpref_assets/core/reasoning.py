"""What reasoning models write before they answer, which is no answer."""

from __future__ import annotations

import re

_TAGS = "think|thinking|reasoning"
_WHOLE = re.compile(rf"^[ \t]*<({_TAGS})>.*?</\1>", re.DOTALL | re.MULTILINE)
_BEGUN_IN_THE_PROMPT = re.compile(rf"\A.*?</(?:{_TAGS})>", re.DOTALL)
_ENDLESS = re.compile(rf"^[ \t]*<(?:{_TAGS})>.*", re.DOTALL | re.MULTILINE)


def without_reasoning(text: str) -> str:
    """`text` without what stands in `<think>`; nothing of it is left behind one that has no end.

    A chat template may write the opening tag, so the answer may hold the closing one alone.
    """
    text = _WHOLE.sub("", text)
    text = _BEGUN_IN_THE_PROMPT.sub("", text)
    return _ENDLESS.sub("", text)
