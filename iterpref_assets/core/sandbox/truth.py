"""What expressions come to whatever the program does, told by reading them."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from iterpref_assets.core.sandbox.inside.checks import name_of

REFLEXIVE = (ast.Eq, ast.Is, ast.LtE, ast.GtE)
"""The comparisons that hold between a thing and itself."""

_OPERATORS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


def truth(test: ast.expr) -> bool | None:  # noqa: PLR0911 - one line per kind of expression
    """What an expression comes to whatever the program does; None where that cannot be told."""
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.Lambda() | ast.GeneratorExp():
            return True
        case ast.NamedExpr(value=value):
            return truth(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = truth(operand)
            return None if inner is None else not inner
        case ast.BoolOp(op=op, values=values):
            return _joined(isinstance(op, ast.Or), [truth(each) for each in values])
        case ast.Compare():
            return _compared(test)
        case ast.Call():
            return _called(test)
        case _:
            return _display(test)


def _display(test: ast.expr) -> bool | None:
    """Of what is written out with its parts."""
    match test:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return _filled(parts)
        case ast.Dict(keys=keys):
            return _filled(keys)
        case ast.JoinedStr(values=parts):
            return True if any(isinstance(each, ast.Constant) for each in parts) else None
        case _:
            return None


def _filled(parts: list[Any]) -> bool | None:
    if not parts:
        return False
    return True if any(not isinstance(p, ast.Starred) and p is not None for p in parts) else None


def _joined(either: bool, parts: list[bool | None]) -> bool | None:
    """Of `or` where `either`, of `and` otherwise."""
    if either in parts:
        return either
    return None if None in parts else not either


def _compared(test: ast.Compare) -> bool | None:
    sides = [test.left, *test.comparators]
    parts = [
        _pair(left, op, right) for left, op, right in zip(sides, test.ops, sides[1:], strict=False)
    ]
    return _joined(False, parts)


def _pair(left: ast.expr, op: ast.cmpop, right: ast.expr) -> bool | None:
    if isinstance(op, REFLEXIVE) and same(left, right) and not _runs_something(left):
        return True
    if _is_length(left) and _literal(right) == [0] and isinstance(op, ast.GtE):
        return True
    values = [*_literal(left), *_literal(right)]
    if len(values) < len(("left", "right")):
        return None
    try:
        return bool(_OPERATORS[type(op)](*values))
    except TypeError:
        return None


def _called(call: ast.Call) -> bool | None:
    match call:
        case ast.Call(func=ast.Name(id="all"), args=[argument]):
            return True if _is_empty(argument) else None
        case ast.Call(func=ast.Name(id="any"), args=[argument]):
            return False if _is_empty(argument) else None
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.Name(id="object")]):
            return True
        case _:
            return None


def _is_empty(argument: ast.expr) -> bool:
    """Whether nothing is in it, as `x for x in []`."""
    if isinstance(argument, ast.GeneratorExp | ast.ListComp | ast.SetComp):
        return any(_is_empty(each.iter) for each in argument.generators)
    return _literal(argument) in ([[]], [()], [{}], [""])


def _is_length(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and name_of(node.func) == "len"


def _literal(node: ast.expr) -> list[Any]:
    """The value of a literal or of a sum of numbers, alone in a list; an empty one of others."""
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        sides = [*_literal(node.left), *_literal(node.right)]
        if len(sides) == len(("left", "right")) and all(isinstance(s, int | float) for s in sides):
            return [_ARITHMETIC[type(node.op)](*sides)]
        return []
    try:
        return [ast.literal_eval(node)]
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return []


def same(left: ast.expr, right: ast.expr) -> bool:
    """Whether two expressions are written alike."""
    return ast.dump(left) == ast.dump(right)


def _runs_something(node: ast.expr) -> bool:
    """Whether it may be another value the next time."""
    return any(
        isinstance(each, ast.Call | ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr)
        for each in ast.walk(node)
    )
