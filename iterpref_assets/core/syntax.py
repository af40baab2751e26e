"""Reading Python that others wrote, as syntax."""

from __future__ import annotations

import ast
import threading
import warnings
from enum import Enum, auto
from typing import Any

_ONE_AT_A_TIME = threading.RLock()
"""CPython 3.11 counts the depth of a tree that it builds in one place for the whole process. Where
a thread is interrupted while it builds one, by a garbage collection that runs Python code, and
another builds its own meanwhile, the first raises SystemError."""
_ALLOW_INCOMPLETE_INPUT = 0x4000
"""`PyCF_ALLOW_INCOMPLETE_INPUT`, by which Python says "incomplete input" of a text that goes wrong
at its end and not before."""


class Completeness(Enum):
    """Whether a text is Python: it is, it may be with more lines behind it, or it cannot be."""

    WHOLE = auto()
    OPEN = auto()
    WRONG = auto()


def tree_of(code: str) -> ast.Module:
    """`ast.parse`, for use in threads.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: where `code` is no Python.
    """
    with _ONE_AT_A_TIME:
        return ast.parse(code)


def literal(text: str) -> Any:
    """`ast.literal_eval`, for use in threads.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: where `text` is no literal.
    """
    with _ONE_AT_A_TIME:
        return ast.literal_eval(text)


def parse(code: str) -> ast.Module | None:
    """The tree of `code`, or None where it is no Python; its warnings are not passed on."""
    parsed = _parsed(code)
    return parsed if isinstance(parsed, ast.Module) else None


def completeness(code: str) -> Completeness:
    """Whether `code` is Python, or may be so with more lines behind it; for use in threads.

    Raises:
        RecursionError: where `code` nests too deep.
        ValueError: where it is no text to Python.
    """
    flags = ast.PyCF_ONLY_AST | _ALLOW_INCOMPLETE_INPUT
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(code, "<unknown>", "exec", flags, dont_inherit=True)
        except SyntaxError as error:
            return Completeness.OPEN if error.msg == "incomplete input" else Completeness.WRONG
        except MemoryError:
            return Completeness.OPEN
    return Completeness.WHOLE


def has_lone_return(code: str) -> bool:
    r"""Whether there is a "\r" without "\n" behind it.

    It ends a line for Python alone: the line numbers of the tree are then not ours.
    """
    return "\r" in code.replace("\r\n", "")


def error_line(code: str) -> int | None:
    """The line (from 1) of the first syntax error; the last one where Python names none.

    None where `code` is Python.
    """
    parsed = _parsed(code)
    if isinstance(parsed, ast.Module):
        return None
    last = code.count("\n") + 1
    told = parsed.lineno if isinstance(parsed, SyntaxError) else None
    return min(told or last, last)


def _parsed(code: str) -> ast.Module | Exception:
    # Threads that leave `catch_warnings` in another order than they entered it would silence for
    # good what the process warns of.
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return tree_of(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return error


def program_key(code: str) -> str:
    """Text that programs share which differ in comments and layout at most."""
    tree = parse(code)
    return code.strip() if tree is None else ast.dump(tree)


def same_program(first: str, second: str) -> bool:
    """Whether two programs differ in comments and layout at most."""
    if first.strip() == second.strip():
        return True
    tree, other = parse(first), parse(second)
    return tree is not None and other is not None and ast.dump(tree) == ast.dump(other)
