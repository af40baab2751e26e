"""What an entry of a page shows, as plain lists that `page.js` draws: text, programs, tables.

A block is a list of strings, its kind first. Texts are never markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import chain
from typing import TypeAlias

from iterpref_assets.core.pairs.config import Difference
from iterpref_assets.core.pairs.difference import line_difference, marked_lines, split_lines

Block: TypeAlias = list[str]

MOST_COMPARED = 2000
"""Lines of a program up to which it is compared line by line: the matcher's memory is quadratic."""


class Tone(StrEnum):
    """How an entry or a badge is coloured."""

    GOOD = "good"
    BAD = "bad"
    PLAIN = "plain"


def heading(text: str, badge: str = "", tone: Tone = Tone.PLAIN) -> Block:
    """A heading with a word in the colour of `tone` behind it."""
    return ["head", text, badge, tone.value]


def text(title: str, content: str) -> Block:
    """A text as it is, its line ends kept."""
    return ["text", title, content]


def program(title: str, marked: str) -> Block:
    """A program whose lines `marked_lines` marked."""
    return ["code", title, marked]


def side_by_side(left: str, right: str, marked: str) -> Block:
    """Two programs in columns of these titles, from the marked lines of both."""
    return ["sides", left, right, marked]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Block:
    """A table; a header of empty words is not shown."""
    return ["table", str(len(header)), *header, *chain.from_iterable(rows)]


def whole(code: str) -> str:
    """A program none of whose lines are marked."""
    return marked_lines(code, code, (), ())


def changed(before: str, after: str) -> str:
    """Two programs as one, `-` before lines that went and `+` before lines that came."""
    lines = max(len(split_lines(before)), len(split_lines(after)))
    method = Difference.LCS if lines <= MOST_COMPARED else Difference.PREFIX_SUFFIX
    found = line_difference(after, before, method)
    return marked_lines(before, after, found.rejected, found.chosen)


def failure_words(verdict: str, error_type: str | None) -> str:
    """How a program ended: the exception's class where there was one, else the verdict."""
    return error_type or verdict.replace("_", " ")
