"""Checks of a test file that hold whatever the program does, told by reading them."""

from __future__ import annotations

import ast

from iterpref_assets.core.sandbox.inside import checks
from iterpref_assets.core.sandbox.truth import REFLEXIVE, same, truth

_COMPARING: dict[str, type[ast.cmpop]] = {
    "assertIs": ast.Is,
    "assertGreater": ast.Gt,
    "assertGreaterEqual": ast.GtE,
    "assertLess": ast.Lt,
    "assertLessEqual": ast.LtE,
    "assertIn": ast.In,
}
_EXPECTING = {
    "assertRaises": 1,
    "assertWarns": 1,
    "raises": 1,
    "warns": 1,
    "assertRaisesRegex": 2,
    "assertWarnsRegex": 2,
}
"""What expects an exception, and of how many arguments before the function that may raise it."""


def always_holds(check: ast.stmt) -> bool:
    """Whether a check cannot fail, because it does not depend on what the program does."""
    if _expects_of_nothing(check):
        return True
    if isinstance(check, ast.If):
        return checks.is_check(check) and not check.orelse and truth(check.test) is False
    condition = _condition(check)
    return condition is not None and truth(condition) is True


def compares_with_itself(check: ast.stmt) -> bool:
    """Whether a check compares a call with the same call: only a program of chance fails it."""
    condition = _condition(check)
    return (
        isinstance(condition, ast.Compare)
        and len(condition.ops) == 1
        and isinstance(condition.ops[0], REFLEXIVE)
        and same(condition.left, condition.comparators[0])
    )


def _expects_of_nothing(statement: ast.stmt) -> bool:
    """Whether it expects an exception, but gives no function and is no context manager."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    call = statement.value
    return not call.keywords and len(call.args) == _EXPECTING.get(checks.name_of(call.func), -1)


def _condition(  # noqa: PLR0911 - one line per way to check
    check: ast.stmt,
) -> ast.expr | None:
    """What must be true for a check to hold, where it is one expression."""
    if isinstance(check, ast.Assert):
        return check.test
    if not isinstance(check, ast.Expr) or not isinstance(check.value, ast.Call):
        return None
    name = checks.name_of(check.value.func)
    match check.value.args:
        case [first, *_] if name in ("assertTrue", "assert_"):
            return first
        case [first, *_] if name == "assertFalse":
            return ast.UnaryOp(ast.Not(), first)
        case [first, second, *_] if name == "assertIsInstance":
            return ast.Call(ast.Name("isinstance", ast.Load()), [first, second], [])
        case [first, second, *_]:
            compares = _COMPARING.get(name, ast.Eq if _means_equal(name) else None)
            return None if compares is None else ast.Compare(first, [compares()], [second])
        case _:
            return None


def _means_equal(name: str) -> bool:
    """Whether it is an assertion of unittest, numpy or pandas that its first two are equal."""
    equal = name.endswith(("Equal", "_equal", "_allclose"))
    return name.startswith("assert") and equal and "not" not in name.lower()
