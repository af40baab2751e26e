"""Whether a test file uses the program that it is to test, told by reading it."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator

from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.regions import is_function
from iterpref_assets.core.syntax import parse

_GIVEN = frozenset({*dir(builtins), "__name__", "__file__"})


def uses_solution(tests: CodeTests, entry_point: str = "") -> bool:
    """Whether it uses a name of the solution's that it does not define itself.

    Where all names of the solution are imported, one of Python's is its only as `entry_point`.
    """
    tree = parse(tests.code)
    if tree is None:
        return False
    nodes = list(ast.walk(tree))
    everything, imported = tests.shared_namespace, set[str]()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and _is_of(tests.module, node.module):
            everything |= node.names[0].name == "*"
            imported |= {each.asname or each.name for each in node.names} - _defined(tree, node)
        elif isinstance(node, ast.Import):
            imported |= {
                each.asname or each.name.partition(".")[0]
                for each in node.names
                if _is_of(tests.module, each.name)
            }
    if any(isinstance(node, ast.Name) and node.id in imported for node in nodes):
        return True
    if everything and any(_unbound(tests.code, _GIVEN - {entry_point})):
        return True
    texts = (node.value for node in nodes if isinstance(node, ast.Constant))
    return any(isinstance(text, str) and _is_of(tests.module, text) for text in texts)


def _is_of(module: str, name: str | None) -> bool:
    return name is not None and (name == module or name.startswith(f"{module}."))


def _defined(tree: ast.Module, imported: ast.stmt) -> set[str]:
    """The functions and classes of the test file that take the place of what was imported."""
    return {
        node.name
        for node in tree.body
        if (is_function(node) or isinstance(node, ast.ClassDef)) and node.lineno > imported.lineno
    }


def _unbound(code: str, given: frozenset[str]) -> Iterator[str]:
    """The names that the file uses and does not give a value, but for those `given` to it."""
    module = symtable.symtable(code, "<tests>", "exec")
    bound = {each.get_name() for each in module.get_symbols() if _binds(each)} | given
    for table in _tables(module):
        for symbol in table.get_symbols():
            is_global = table is module or symbol.is_global()
            if is_global and symbol.is_referenced() and symbol.get_name() not in bound:
                yield symbol.get_name()


def _binds(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported()


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _tables(child)
