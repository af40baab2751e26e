"""Whether two programs differ at all, seen as syntax trees.

The trees are walked side by side and the walk stops at the first difference, which for a real bug
comes early; nothing is dumped or copied.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from iterpref_assets.core.syntax import parse

# Where a tree holds a name that can be a local variable's.
_NAME_FIELDS: dict[type[ast.AST], str] = {ast.Name: "id", ast.arg: "arg", ast.ExceptHandler: "name"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Likeness(StrEnum):
    """How alike two programs are."""

    EQUAL = "equal"
    """Equal trees: they differ in comments, blank space, parentheses or quotes only."""
    FORMATTING = "formatting"
    """Equal but for docstrings and a consistent renaming of local variables and parameters."""
    DIFFERENT = "different"
    """Anything else, and any program that does not parse."""


def likeness(first: str, second: str) -> Likeness:
    """How alike two programs are; the answer does not depend on their order."""
    ours, theirs = parse(first), parse(second)
    if ours is None or theirs is None:
        return Likeness.DIFFERENT
    try:
        # Equal trees are a renaming that changes nothing, so nearly every pair is walked once.
        renaming = _Renaming()
        if not _same(ours, theirs, renaming):
            return Likeness.DIFFERENT
        if _same(ours, theirs, None):
            return Likeness.EQUAL
    except RecursionError:
        return Likeness.DIFFERENT
    return Likeness.FORMATTING if renaming.is_local(ours, theirs) else Likeness.DIFFERENT


@dataclass
class _Renaming:
    """A one-to-one map between the names of two programs, grown while they are walked."""

    forth: dict[str, str] = field(default_factory=dict)
    back: dict[str, str] = field(default_factory=dict)

    def admits(self, first: str, second: str) -> bool:
        """Whether `first` may stand for `second` beside what was seen before."""
        return (
            self.forth.setdefault(first, second) == second
            and self.back.setdefault(second, first) == first
        )

    def is_local(self, first: ast.Module, second: ast.Module) -> bool:
        """Whether only local names change: another global name is another program."""
        changed = [pair for pair in self.forth.items() if pair[0] != pair[1]]
        if not changed:
            return True
        ours, theirs = _local_names(first), _local_names(second)
        return all(name in ours and other in theirs for name, other in changed)


def _same(first: object, second: object, renaming: _Renaming | None) -> bool:
    if type(first) is not type(second):
        return False
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(
            _same(a, b, renaming) for a, b in zip(first, second, strict=True)
        )
    if isinstance(first, ast.AST) and isinstance(second, ast.AST):
        return _same_node(first, second, renaming)
    return first == second


def _same_node(first: ast.AST, second: ast.AST, renaming: _Renaming | None) -> bool:
    return all(
        _same_field(first, name, getattr(first, name, None), getattr(second, name, None), renaming)
        for name in first._fields
    )


def _same_field(
    node: ast.AST, name: str, ours: Any, theirs: Any, renaming: _Renaming | None
) -> bool:
    if renaming is None or type(ours) is not type(theirs):
        return _same(ours, theirs, renaming)
    if isinstance(ours, str):
        if name == _NAME_FIELDS.get(type(node)):
            return renaming.admits(ours, theirs)
        if isinstance(node, ast.keyword):
            # A keyword is the name of some function's parameter, which is thereby pinned.
            return ours == theirs and renaming.admits(ours, ours)
    if isinstance(ours, list) and name == "body" and isinstance(node, _DOCUMENTED):
        return _same(_undocumented(ours), _undocumented(theirs), renaming)
    return _same(ours, theirs, renaming)


def _undocumented(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
        case _:
            return body


def _local_names(tree: ast.Module) -> set[str]:
    """Names bound inside functions and nowhere else."""
    local: set[str] = set()
    outer: set[str] = set()
    for node, inside in _walk(tree, inside=False):
        (local if inside else outer).update(_bound(node))
        if isinstance(node, ast.Global | ast.Nonlocal):
            outer.update(node.names)
    return local - outer


def _walk(node: ast.AST, *, inside: bool) -> Iterator[tuple[ast.AST, bool]]:
    yield node, inside
    within = isinstance(node, _FUNCTIONS) or (inside and not isinstance(node, ast.ClassDef))
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, inside=within)


def _bound(node: ast.AST) -> list[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            return [name]
        case ast.ExceptHandler(name=str(name)):
            return [name]
        case _:
            return []
