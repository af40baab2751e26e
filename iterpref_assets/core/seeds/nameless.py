"""Blocks of Python without file names: which is the solution, and which its tests.

Small models write the function and its tests in one block, or in two without names, whatever form
they are asked for.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from iterpref_assets.core.syntax import parse
from iterpref_assets.core.unreachable import reachable_part, unreachable_lines

SOLUTION, TESTS = "solution.py", "test_solution.py"
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
    return {SOLUTION: code, TESTS: f"from solution import {entry_point}\n\n{tests}"}


def _defines(program: str, name: str) -> bool:
    tree = parse(program)
    nodes = tree.body if tree else []
    return any(isinstance(node, _DEFINITIONS) and node.name == name for node in nodes)


def _imported_from(program: str, entry_point: str) -> str:
    """The module that a program imports the function from; empty where it does not."""
    tree = parse(program)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {alias.name for alias in node.names}
            if entry_point in names and "." not in node.module:
                return node.module
    return ""


def _split(block: str, entry_point: str) -> dict[str, str]:
    tree = parse(block)
    if tree is None or not _defines(block, entry_point):
        return {}
    asked = frozenset({entry_point})
    apart = set(unreachable_lines(block, asked))
    kept = [node for node in tree.body if node.lineno - 1 not in apart]
    head = [ast.unparse(node) for node in kept if isinstance(node, ast.Import | ast.ImportFrom)]
    names = ", ".join(node.name for node in kept if isinstance(node, _DEFINITIONS))
    tests = [line for number, line in enumerate(block.split("\n")) if number in apart]
    return {
        SOLUTION: reachable_part(block, asked),
        TESTS: "\n".join([*head, f"from solution import {names}", *tests]),
    }
