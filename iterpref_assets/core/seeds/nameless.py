"""Blocks of Python without file names: which is the solution, and which its tests.

Small models write the function and its tests in one block, or in two without names, whatever form
they are asked for.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from iterpref_assets.core.scopes import units
from iterpref_assets.core.syntax import parse
from iterpref_assets.core.unreachable import reachable_part, unreachable_lines

SOLUTION, TESTS = "solution.py", "test_solution.py"
_IMPORTS = ast.Import | ast.ImportFrom
_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def files_of(blocks: Sequence[str], entry_point: str) -> dict[str, str]:
    """The solution and its tests as files by their names; none where the blocks leave it open.

    Of two blocks one defines the function, and the other imports it from a module or lacks the
    import alone. Of one block the tests are what the function does not reach; they get the block's
    imports and the names that the solution defines.
    """
    match blocks:
        case [block]:
            return _split(block, entry_point)
        case [first, second]:
            for code, tests in ((first, second), (second, first)):
                if _defines(code, entry_point) and not _defines(tests, entry_point):
                    return _pair(code, tests, entry_point)
            return {}
        case _:
            return {}


def imported_packages(*programs: str) -> set[str]:
    """The top-level modules that programs import absolutely."""
    found: set[str] = set()
    for program in programs:
        tree = parse(program)
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.Import):
                found.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


def _pair(code: str, tests: str, entry_point: str) -> dict[str, str]:
    module = _imported_from(tests, entry_point)
    if module:
        return {f"{module}.py": code, f"test_{module}.py": tests}
    return {SOLUTION: code, TESTS: _with_import(tests, entry_point)}


def _with_import(tests: str, entry_point: str) -> str:
    """`tests` with the import that they lack, after those of `__future__`, which must be first."""
    tree = parse(tests)
    future = [
        node.end_lineno or 0
        for node in (tree.body if tree else [])
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    lines = tests.split("\n")
    at = max(future, default=0)
    return "\n".join([*lines[:at], f"from solution import {entry_point}", "", *lines[at:]])


def _defines(program: str, name: str) -> bool:
    tree = parse(program)
    nodes = tree.body if tree else []
    return any(isinstance(node, _DEFINITIONS) and node.name == name for node in nodes)


def _imported_from(program: str, entry_point: str) -> str:
    """The module that a program imports the function from; empty where it does not."""
    tree = parse(program)
    for node in ast.walk(tree) if tree else ():
        match node:
            case ast.ImportFrom(module=str(module), names=names, level=0) if "." not in module:
                if {alias.name for alias in names} & {entry_point, "*"}:
                    return module
            case ast.Attribute(value=ast.Name(id=module), attr=name) if name == entry_point:
                if module in imported_packages(program):
                    return module
            case _:
                pass
    return ""


def _split(block: str, entry_point: str) -> dict[str, str]:
    tree = parse(block)
    if tree is None or not _defines(block, entry_point):
        return {}
    asked, lines = frozenset({entry_point}), block.split("\n")
    apart = set(unreachable_lines(block, asked))
    try:
        kept = [unit for unit in units(tree, lines) if unit.start not in apart]
    except (SyntaxError, RecursionError):
        return {}
    head = [ast.unparse(node) for unit in kept for node in unit.nodes if isinstance(node, _IMPORTS)]
    names = {
        name for unit in kept if not isinstance(unit.nodes[0], _IMPORTS) for name in unit.binds
    }
    tests = [line for number, line in enumerate(lines) if number in apart]
    return {
        SOLUTION: reachable_part(block, asked),
        TESTS: "\n".join([*head, f"from solution import {', '.join(sorted(names))}", *tests]),
    }
