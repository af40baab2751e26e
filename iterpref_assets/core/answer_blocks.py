"""The fenced blocks of an answer, however a model fences them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from iterpref_assets.core.syntax import parse

_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^\s`]*)[^`]*")
_FENCE_AFTER_PROSE = re.compile(r"(?:(?!```).)+(?P<marks>`{3,})(?P<info>\w*)\s*")
_PYTHON = re.compile(r"(?:py(?:thon)?[\d.]*)?", re.IGNORECASE)
"""What a fence says of its block's language where that is Python: `python`, or often nothing."""
_PROSE = re.compile(r"(?:markdown|md|text|txt|plaintext)", re.IGNORECASE)
_INNER_FENCES = 20
"""A block with more lines within that could close it ends at the first: models repeat themselves,
and each further line would mean to read the whole block once more."""
CODE_STARTS = re.compile(r"^(?:def |class |async def |import |from \w+ import |@\w)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FencedBlock:
    """A fenced block; `closed` is false where the text ended within it."""

    language: str
    code: str
    closed: bool

    @property
    def is_python(self) -> bool:
        """Whether its fence says so, or nothing."""
        return _PYTHON.fullmatch(self.language) is not None


def ends_within_block(text: str) -> bool:
    """Whether a block is open where `text` ends: it holds an odd number of fences."""
    return len(_fences(text.split("\n"))) % 2 == 1


def fenced_blocks(text: str) -> Iterator[FencedBlock]:
    """Each fenced block; a block of prose (markdown) is read for the blocks within it."""
    lines = text.split("\n")
    at = 0
    if unopened := _unopened(lines):
        yield unopened[0]
        at = unopened[1]
    while at < len(lines):
        opener = _FENCE.fullmatch(lines[at]) or _FENCE_AFTER_PROSE.fullmatch(lines[at])
        at += 1
        if opener is None or _PROSE.fullmatch(opener["info"]):
            continue
        indent = opener.groupdict().get("indent") or ""
        end = _end_of_block(lines, at, opener["marks"], indent)
        closed = end < len(lines)
        code = "\n".join(_outdented(lines[at:end], indent)).strip("\n")
        if not closed and parse(code) is None:
            code, end = _closed_within(lines, at, opener["marks"], indent) or (code, end)
            closed = end < len(lines)
        if code.strip():
            yield FencedBlock(opener["info"], code, closed)
        # A fence that names a language begins the next block as well as ending this one.
        following = _FENCE.fullmatch(lines[end]) if closed else None
        names_next = following and following["info"]
        at = end if names_next else end + 1


def _fences(lines: list[str]) -> list[int]:
    return [n for n, line in enumerate(lines) if _FENCE.fullmatch(line)]


def _unopened(lines: list[str]) -> tuple[FencedBlock, int] | None:
    """A program at the beginning whose fence is closed alone, and the line behind that fence."""
    fences = _fences(lines)
    if len(fences) % 2 == 0 or _info(lines[fences[0]]):
        return None
    code = "\n".join(lines[: fences[0]]).strip("\n")
    if not CODE_STARTS.search(code) or parse(code) is None:
        return None
    return FencedBlock("", code, closed=True), fences[0] + 1


def _end_of_block(lines: list[str], start: int, marks: str, indent: str) -> int:
    """The line that closes a block begun before `start`, or the number of lines if none does.

    Of several that could, it is the first at which the block is Python: programs hold fences too.
    """
    first: int | None = None
    closing = (n for n in range(start, len(lines)) if _closes(lines[n], marks, indent))
    for at in islice(closing, _INNER_FENCES):
        if first is None:
            first = at
        if parse("\n".join(_outdented(lines[start:at], indent))) is not None:
            return at
        if _FENCE.fullmatch(lines[at]) is None or _info(lines[at]):
            break
    return len(lines) if first is None else first


def _closed_within(lines: list[str], start: int, marks: str, indent: str) -> tuple[str, int] | None:
    """A program whose fence is closed on its last line, and that line; None where none parses."""
    ends = (n for n in range(start, len(lines)) if lines[n].rstrip().endswith(marks))
    for end in islice(ends, _INNER_FENCES):
        last = lines[end].rstrip().removesuffix(marks)
        code = "\n".join(_outdented([*lines[start:end], last], indent)).strip("\n")
        if code.strip() and parse(code) is not None:
            return code, end
    return None


def _closes(line: str, marks: str, indent: str) -> bool:
    own = len(line) - len(line.lstrip(" \t"))
    return own <= len(indent) and line.lstrip(" \t").startswith(marks)


def _info(line: str) -> str:
    fence = _FENCE.fullmatch(line)
    return fence["info"] if fence else ""


def _outdented(lines: list[str], indent: str) -> list[str]:
    """The lines without the indentation of their block's fence, where they share it.

    A blank before a fence alone, which models write at the beginning of an answer, is none of the
    program's.
    """
    first = next((line for line in lines if line.strip()), "")
    if not first.startswith(indent):
        return lines
    return [
        line[len(indent) :] if line.startswith(indent) else line.lstrip(" \t") for line in lines
    ]
