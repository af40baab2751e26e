"""Assert statements as typed tests: read as syntax, never executed."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from iterpref_assets.core.records import Case, FunctionTests
from iterpref_assets.core.syntax import parse


class NotALiteralError(ValueError):
    """An assertion that is not `function(plain values) == plain value`."""


def read_asserts(statements: Sequence[str]) -> FunctionTests:
    """The calls that `assert f(...) == ...` statements make, all of the same function.

    Parentheses around the comparison and operands the other way round are read as well.

    Raises:
        NotALiteralError: quoting the first statement that says something else.
    """
    calls = [_read(statement) for statement in statements]
    if not calls:
        raise NotALiteralError("no assertion")
    names = {name for name, _ in calls}
    if len(names) > 1:
        raise NotALiteralError(f"calls of several functions: {', '.join(sorted(names))}")
    return FunctionTests(entry_point=calls[0][0], cases=tuple(case for _, case in calls))


def _read(statement: str) -> tuple[str, Case]:
    tree = parse(statement.strip())
    match tree.body if tree else []:
        case [
            ast.Assert(
                test=ast.Compare(left=ast.Call() as call, ops=[ast.Eq()], comparators=[expected])
            )
        ]:
            return _call(statement, call, expected)
        case [
            ast.Assert(
                test=ast.Compare(left=expected, ops=[ast.Eq()], comparators=[ast.Call() as call])
            )
        ]:
            return _call(statement, call, expected)
        case _:
            raise NotALiteralError(statement)


def _call(statement: str, call: ast.Call, expected: ast.expr) -> tuple[str, Case]:
    if not isinstance(call.func, ast.Name) or call.keywords:
        raise NotALiteralError(statement)
    arguments = ast.Tuple(elts=call.args, ctx=ast.Load())
    try:
        return call.func.id, Case(arguments=_source(arguments), expected=_source(expected))
    except (ValueError, TypeError, RecursionError, MemoryError):
        raise NotALiteralError(statement) from None


def _source(value: ast.expr) -> str:
    """A literal as its author wrote it, but for layout: the repr of a set depends on hash seeds.

    Raises:
        ValueError, TypeError, RecursionError, MemoryError: where it is no literal.
    """
    ast.literal_eval(value)
    return ast.unparse(value)
