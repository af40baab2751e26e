"""The checks of a test file, found by reading it, and a mark behind each that tells when it ran.

A check is an assert, a call named `assert...`, a `with` that expects an exception, or a branch that
raises or calls `fail`: of such a branch, that it was come by. One that always holds is none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

MARK = "__iterpref_check__"
"""What the file calls, with the number of a check, when that check has run."""

_BRANCHES = (ast.If, ast.Try, ast.While, ast.Match)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_EXPECTING = ("raises", "warns")
_CATCHING = ("AssertionError", "Exception", "BaseException")


def numbered(tree: ast.AST) -> list[ast.stmt]:
    """The checks of `tree`, caught or not; the place of each is its number."""
    return [each for each in _statements(tree) if is_check(each)]


def mark(tree: ast.Module) -> None:
    """Put a mark with its number behind each check of `tree` (before a branch)."""
    _mark(tree, {id(check): number for number, check in enumerate(numbered(tree))})


def found(node: ast.AST) -> list[ast.stmt]:
    """The checks in `node` whose failure reaches who runs it: not those caught on the way."""
    return list(_found(node))


def reached_names(node: ast.AST) -> Iterator[str]:
    """The names used in `node` where a failed assertion is not caught."""
    if isinstance(node, ast.Name):
        yield node.id
    for child in _uncaught(node):
        yield from reached_names(child)


def _blocks(node: ast.AST) -> Iterator[tuple[str, list[Any]]]:
    """The lists of statements, handlers and cases right below `node`, by their field."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        block: Any = getattr(node, field, None)
        if isinstance(block, list):  # not a lambda's or a conditional expression's
            yield field, block


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    for _, block in _blocks(node):
        for child in block:
            if isinstance(child, ast.stmt):
                yield child
            yield from _statements(child)


def _mark(node: ast.AST, numbers: dict[int, int]) -> None:
    for field, old in _blocks(node):
        new: list[Any] = []
        for child in old:
            number = numbers.get(id(child))
            _mark(child, numbers)
            call = [] if number is None else [_call(child, number)]
            first = isinstance(child, (*_BRANCHES, ast.Return))
            new += [*call, child] if first else [child, *call]
        if old:
            setattr(node, field, new)


def _call(check: ast.stmt, number: int) -> ast.stmt:
    call = ast.Call(ast.Name(MARK, ast.Load()), [ast.Constant(number)], [])
    return ast.fix_missing_locations(ast.copy_location(ast.Expr(call), check))


def _found(node: ast.AST) -> Iterator[ast.stmt]:
    if isinstance(node, ast.stmt) and is_check(node):
        yield node
    for child in _uncaught(node):
        yield from _found(child)


def _uncaught(node: ast.AST) -> Iterator[ast.AST]:
    """The children of `node`, but for what it runs only to catch a failed assertion of it."""
    hidden: list[ast.stmt] = []
    match node:
        case ast.Try(body=body, handlers=handlers) if any(map(_swallows, handlers)):
            hidden = body
        case ast.With(body=body, items=items) if any(map(_suppresses, items)):
            hidden = body
        case _:
            pass
    yield from (child for child in ast.iter_child_nodes(node) if child not in hidden)


def _swallows(handler: ast.ExceptHandler) -> bool:
    if handler.type is not None and not _catches(handler.type):
        return False
    told = (n for each in handler.body for n in ast.walk(each))
    return not any(isinstance(n, ast.Raise | ast.Assert) or _fails(n) for n in told)


def _suppresses(item: ast.withitem) -> bool:
    call = item.context_expr
    return (
        isinstance(call, ast.Call)
        and name_of(call.func) == "suppress"
        and any(_catches(each) for each in call.args)
    )


def _catches(kind: ast.expr) -> bool:
    return any(name_of(n) in _CATCHING for n in ast.walk(kind) if isinstance(n, ast.expr))


def is_check(node: ast.AST) -> bool:
    """Whether a statement checks something itself, whoever catches its failure."""
    if isinstance(node, ast.Assert):
        return not (_always_holds(node.test) or _never_holds(node.test))
    if isinstance(node, ast.With | ast.AsyncWith):
        return any(_expects(item.context_expr) for item in node.items)
    if isinstance(node, _BRANCHES):
        return any(_is_failure(each) for each in _within(node))
    simple = ast.Expr | ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return
    return isinstance(node, simple) and any(_asserts(each) for each in ast.walk(node))


def is_branch(check: ast.stmt) -> bool:
    """Whether it is a branch that raises or fails."""
    return isinstance(check, _BRANCHES)


def _within(branch: ast.AST) -> Iterator[ast.AST]:
    """What is below a branch, but not within a branch or a function below it."""
    for child in ast.iter_child_nodes(branch):
        if not isinstance(child, (*_BRANCHES, *_FUNCTIONS)):
            yield child
            yield from _within(child)


def _is_failure(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return _never_holds(node.test)
    return isinstance(node, ast.Raise) or _fails(node)


def _asserts(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not name_of(node.func).startswith("assert"):
        return False
    # A mock's `assert_called_with(1)` compares what it is given with what was done.
    compares_arguments = not name_of(node.func).startswith("assert_") and bool(node.args)
    return not (compares_arguments and all(isinstance(a, ast.Constant) for a in node.args))


def _expects(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and (
        name_of(node.func).startswith("assert") or name_of(node.func) in _EXPECTING
    )


def _fails(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and name_of(node.func) in ("fail", "exit")


def _always_holds(test: ast.expr) -> bool:
    if isinstance(test, ast.Constant):
        return bool(test.value)
    return isinstance(test, ast.Lambda) or (isinstance(test, ast.Tuple) and bool(test.elts))


def _never_holds(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and not test.value


def name_of(node: ast.expr) -> str:
    """The name, or the last part of a dotted one, of what is called; "" of anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
