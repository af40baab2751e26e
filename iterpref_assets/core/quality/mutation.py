"""Small changes of a solution, to see whether its tests notice."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from iterpref_assets.core.randomness import derive_rng
from iterpref_assets.core.syntax import parse

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_SHOWN = 60
_ANNOTATIONS = ("annotation", "returns")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed program; `change` says where and how, e.g. `line 3: x < y to x <= y`."""

    code: str
    change: str


def mutants(code: str, count: int, *seed: str | int) -> list[Mutant]:
    """At most `count` programs that differ from `code` in one place each, drawn by `seed`.

    A comparison, an arithmetic or logical operator, a constant, a condition, a returned value or a
    statement without value is changed. Nothing tells a mutant that behaves the same as `code` from
    one that the tests miss, so no test suite has to notice all of them.
    """
    tree = parse(code)
    if tree is None:
        return []
    sites = list(_sites(tree))
    rng = derive_rng("mutants", *seed)
    found: dict[str, Mutant] = {}
    for index in rng.sample(range(len(sites)), len(sites)):
        if len(found) == count:
            break
        mutant = _mutant(tree, index)
        found.setdefault(mutant.code, mutant)
    return list(found.values())


def _mutant(tree: ast.Module, index: int) -> Mutant:
    """The program with the change of one site made in a copy."""
    changed = copy.deepcopy(tree)
    site = list(_sites(changed))[index]
    before = site.text()
    site.change()
    ast.fix_missing_locations(changed)
    change = f"line {site.line}: {_short(before)} to {_short(site.text())}"
    return Mutant(ast.unparse(changed), change)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."


@dataclass(frozen=True, slots=True)
class _Site:
    """A place that can be changed; `text` is its source, before or after `change` is called."""

    line: int
    text: Callable[[], str]
    change: Callable[[], None]


def _sites(node: ast.AST) -> Iterator[_Site]:
    """Each place that can be changed, in order of the source."""
    yield from _own_sites(node)
    docstring = _docstring(node)
    for name, value in ast.iter_fields(node):
        if name in _ANNOTATIONS:
            continue
        if isinstance(value, list):
            yield from _removals(value)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and child is not docstring:
                yield from _sites(child)


def _own_sites(node: ast.AST) -> Iterator[_Site]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _COMPARISONS:
            yield _setting(node, "ops", [_COMPARISONS[type(operator)]()])
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in _ARITHMETIC:
            yield _setting(node, "op", _ARITHMETIC[type(operator)]())
        case ast.BoolOp(op=operator):
            other = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield _setting(node, "op", other)
        case ast.Constant(value=bool() | int() | str() as value):
            yield _setting(node, "value", _other_value(value))
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield _setting(node, "test", ast.UnaryOp(ast.Not(), test), shown="test")
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield _setting(node, "value", ast.Constant(None))
        case _:
            pass


def _setting(
    node: ast.expr | ast.stmt, name: str, value: object, shown: str | None = None
) -> _Site:
    """The site where one field of a node changes; its text is the node's, or a field's of it."""
    return _Site(
        node.lineno,
        lambda: ast.unparse(getattr(node, shown) if shown else node),
        lambda: setattr(node, name, value),
    )


def _removals(block: list[Any]) -> Iterator[_Site]:
    """Statements that can be left out: calls made for their effect, jumps within a loop."""
    for index, statement in enumerate(block):
        match statement:
            case ast.Expr(value=ast.Call()) | ast.Break() | ast.Continue():
                yield _removal(block, index)
            case _:
                pass


def _removal(block: list[Any], index: int) -> _Site:
    return _Site(
        block[index].lineno,
        lambda: ast.unparse(block[index]),
        lambda: block.__setitem__(index, ast.Pass()),
    )


def _other_value(value: bool | int | str) -> bool | int | str:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"{value}x"


def _docstring(node: ast.AST) -> ast.stmt | None:
    match getattr(node, "body", None):
        case [ast.Expr(value=ast.Constant(value=str())) as first, *_]:
            return first
        case _:
            return None
