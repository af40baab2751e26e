"""evalplus's sanitizer with its result but not its cost, which is cubic in the lines of a text.

evalplus parses every run of lines of an answer to find the longest that is Python. Here most runs
are ruled out unparsed: where the parser gives up before the end of a run, it gives up at the same
place in every run that begins with the same lines.
"""

from __future__ import annotations

import ast
import codeop
from bisect import bisect_left
from enum import Enum, auto
from itertools import accumulate
from types import FunctionType
from typing import Any

_FLAGS = (
    ast.PyCF_ONLY_AST | codeop.PyCF_ALLOW_INCOMPLETE_INPUT  # pyright: ignore[reportAttributeAccessIssue]
)
_INCOMPLETE = "incomplete input"


class _Parsed(Enum):
    """What came of parsing a run of lines; HOPELESS is one that no further line can mend."""

    VALID = auto()
    INCOMPLETE = auto()
    HOPELESS = auto()


def sanitized(text: str, entry_point: str) -> str:
    """What `evalplus.sanitize.sanitize` returns.

    Raises:
        RecursionError, ValueError: where Python's parser gives up, as it does there.
    """
    from evalplus import sanitize as theirs

    extract = _with(theirs.extract_target_code_or_empty, code_extract=longest_code)
    sanitize = _with(
        theirs.sanitize, code_extract=longest_code, extract_target_code_or_empty=extract
    )
    return sanitize(text, entrypoint=entry_point)


def longest_code(text: str) -> str:
    """The run of two lines or more that is Python and has the most lines that are not blank.

    Of several the one that begins first, and of those the shortest; the first line where there is
    none: as `evalplus.sanitize.code_extract` has it.

    Raises:
        RecursionError, ValueError: where Python's parser gives up.
    """
    _parse(text)  # a text that cannot be encoded is refused, whichever lines are looked at below
    lines = text.split("\n")
    filled = [0, *accumulate(1 if line.strip() else 0 for line in lines)]
    most, found = 0, (0, 0)
    for start in range(len(lines)):
        if filled[-1] - filled[start] <= most:
            break
        for last in range(_first_hopeless(lines, start) - 1, start, -1):
            count = filled[last + 1] - filled[start]
            if count < most or (count == most and (most == 0 or found[0] < start)):
                break
            if _parse("\n".join(lines[start : last + 1])) is _Parsed.VALID:
                most, found = count, (start, last)
    return "\n".join(lines[found[0] : found[1] + 1])


def _first_hopeless(lines: list[str], start: int) -> int:
    """The first line after `start` with which the run is hopeless, as then all longer ones are."""
    return bisect_left(
        range(len(lines)),
        True,
        lo=start + 1,
        key=lambda last: _parse("\n".join(lines[start : last + 1])) is _Parsed.HOPELESS,
    )


def _parse(code: str) -> _Parsed:
    try:
        compile(code, "<answer>", "exec", _FLAGS, dont_inherit=True)
    except SyntaxError as error:
        return _Parsed.INCOMPLETE if error.msg == _INCOMPLETE else _Parsed.HOPELESS
    except MemoryError:  # the parser's own stack is full, and would be no less with more lines
        return _Parsed.HOPELESS
    return _Parsed.VALID


def _with(function: Any, **names: Any) -> Any:
    """`function` where the given global names mean something else."""
    return FunctionType(
        function.__code__,
        {**function.__globals__, **names},
        function.__name__,
        function.__defaults__,
    )
