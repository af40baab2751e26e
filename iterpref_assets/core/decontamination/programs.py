"""Programs compared by what they do with names and layout taken away."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Sequence
from typing import Any

from iterpref_assets.core.syntax import parse

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DOCUMENTED = (*_FUNCTIONS, ast.ClassDef, ast.Module)


def normalised_digest(code: str) -> str | None:
    """A hash that programs share which differ in names, layout, comments and annotations alone.

    Imports do not count, nor do docstrings. None where `code` is no Python or nothing is left.
    """
    tree = parse(code)
    if tree is None:
        return None
    try:
        stripped = _Stripper().visit(tree)
        renamed = _Renamer(_bound_names(stripped)).visit(stripped)
        text = ast.dump(renamed)
    except RecursionError:
        return None
    return hashlib.sha256(text.encode()).hexdigest() if renamed.body else None


def parameters_of(code: str, entry_point: str) -> tuple[str, ...] | None:
    """The parameters of a function in `code`, `self` left out; None where it defines none.

    `code` may be a bare first line such as `def f(x: int) -> str:`.
    """
    tree = parse(code) or parse(f"{code.strip()} pass")
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, _FUNCTIONS) and node.name == entry_point:
            given = node.args
            names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
            return tuple(name for name in names if name != "self")
    return None


def first_function(code: str) -> str:
    """The name of the first function in `code`, or "" where it has none."""
    tree = parse(code)
    nodes = ast.walk(tree) if tree else ()
    return next((node.name for node in nodes if isinstance(node, _FUNCTIONS)), "")


def called_function(code: str, statements: Sequence[str]) -> str:
    """The function of `code` that `statements` call first, or "" where they call none."""
    tree = parse(code)
    defined = {node.name for node in tree.body if isinstance(node, _FUNCTIONS)} if tree else set()
    calls = (parse(statement.strip()) for statement in statements)
    used = (node for call in calls if call for node in ast.walk(call))
    return next((n.id for n in used if isinstance(n, ast.Name) and n.id in defined), "")


class _Stripper(ast.NodeTransformer):
    """Takes away imports, docstrings, annotations and type comments."""

    def visit(self, node: ast.AST) -> Any:
        """Strip one node and what is below it."""
        if isinstance(node, ast.Import | ast.ImportFrom):
            return None
        if isinstance(node, _DOCUMENTED):
            match node.body:
                case [ast.Expr(value=ast.Constant(value=str())), *rest]:
                    node.body = rest
                case _:
                    pass
        if isinstance(node, _FUNCTIONS):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            return ast.Assign([self.visit(node.target)], self.visit(node.value))
        return self.generic_visit(node)


def _bound_names(tree: ast.AST) -> set[str]:
    """The names that the program itself gives to things."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case (
                ast.FunctionDef(name=str(name))
                | ast.AsyncFunctionDef(name=str(name))
                | ast.ClassDef(name=str(name))
                | ast.Name(id=str(name), ctx=ast.Store())
                | ast.arg(arg=str(name))
                | ast.ExceptHandler(name=str(name))
            ):
                names.add(name)
            case _:
                pass
    return names


class _Renamer(ast.NodeTransformer):
    """Numbers the program's own names in the order in which they occur."""

    def __init__(self, own: set[str]) -> None:
        self._own = own
        self._numbers: dict[str, str] = {}

    def visit(self, node: ast.AST) -> Any:
        """Rename one node and what is below it."""
        for field in ("name", "id", "arg"):
            name = getattr(node, field, None)
            if isinstance(name, str) and name in self._own and not isinstance(node, ast.alias):
                setattr(node, field, self._numbers.setdefault(name, f"v{len(self._numbers)}"))
        return self.generic_visit(node)
