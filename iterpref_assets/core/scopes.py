"""The statements of a Python module, and which of its names each uses, binds and changes."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CHANGING = frozenset({
    "add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "extendleft",
    "insert", "intersection_update", "pop", "popitem", "popleft", "remove", "reverse", "rotate",
    "setdefault", "sort", "subtract", "symmetric_difference_update", "update", "write",
})  # fmt: skip
"""Methods of built-in collections and of files that change what they are called on."""

_READING = frozenset({
    "abs", "all", "any", "bool", "dict", "enumerate", "filter", "float", "frozenset", "int",
    "isinstance", "iter", "len", "list", "map", "max", "min", "print", "range", "repr", "reversed",
    "round", "set", "sorted", "str", "sum", "tuple", "type", "zip",
})  # fmt: skip
"""Built-in functions that leave their arguments as they are."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Whole lines of a module: one statement, or several that share a line.

    Attributes:
        nodes: the statements.
        start, end: the first and the last line, from 0, decorators included.
        uses: the module's names that are read, also in the functions that are defined here.
        binds: those that are bound or deleted, also by functions that declare them global.
        changes: those whose objects are changed in place or handed to what may change them, also by
            the functions that are defined here.
    """

    nodes: tuple[ast.stmt, ...]
    start: int
    end: int
    uses: frozenset[str]
    binds: frozenset[str]
    changes: frozenset[str]


def units(tree: ast.Module, lines: list[str]) -> list[Unit]:
    """The units of a module whose source has these `lines`.

    Raises:
        SyntaxError: where a statement cannot be read by itself.
    """
    return [_unit(nodes, start, end, lines) for nodes, start, end in _groups(tree.body)]


def names_of(code: str) -> tuple[set[str], set[str]]:
    """The names of its module that `code` reads, and those that it binds.

    Raises:
        SyntaxError: where `code` is no Python.
    """
    top = symtable.symtable(code, "<program>", "exec")
    uses = {each.get_name() for each in top.get_symbols() if each.is_referenced()}
    binds = {
        each.get_name() for each in top.get_symbols() if each.is_assigned() or each.is_imported()
    }
    for table in _inner(top):
        for each in table.get_symbols():
            if each.is_global():
                uses.add(each.get_name())
            if each.is_declared_global() and each.is_assigned():
                binds.add(each.get_name())
    return uses, binds


def outermost(node: ast.AST) -> str | None:
    """The name that an expression such as `a.b[c].d` begins with."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _groups(body: Iterable[ast.stmt]) -> Iterator[tuple[tuple[ast.stmt, ...], int, int]]:
    group: list[ast.stmt] = []
    start = end = 0
    for node in body:
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(each.lineno for each in decorators)]) - 1
        if group and first > end:
            yield tuple(group), start, end
            group = []
        start = start if group else first
        end = (node.end_lineno or node.lineno) - 1
        group.append(node)
    if group:
        yield tuple(group), start, end


def _unit(nodes: tuple[ast.stmt, ...], start: int, end: int, lines: list[str]) -> Unit:
    uses, binds = names_of("\n".join(lines[start : end + 1]))
    changed = {name for node in nodes for name in _changed(node)}
    return Unit(
        nodes, start, end, frozenset(uses), frozenset(binds), frozenset(changed & (uses | binds))
    )


def _changed(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        found: list[ast.AST] = []
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            found = [node]
        elif isinstance(node, ast.Call):
            given = [*node.args, *(each.value for each in node.keywords)]
            reads = isinstance(node.func, ast.Name) and node.func.id in _READING
            found = [] if reads else [each for each in given if not isinstance(each, ast.Call)]
            if isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
                found.append(node.func.value)
        yield from (name for each in found if (name := outermost(each)))


def _inner(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _inner(child)
