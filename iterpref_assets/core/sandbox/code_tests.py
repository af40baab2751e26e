"""What a test file holds, found by reading it: the tests that must run, before anything runs."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from iterpref_assets.core.errors import InputError

_CASE_CLASSES = ("TestCase", "IsolatedAsyncioTestCase")


@dataclass(frozen=True, slots=True)
class PlannedTests:
    """The tests of a file, in the order they run.

    `names` are `Class.method` where the file has unittest classes; otherwise the file runs as a
    script, and `names` are its test functions that nothing in the file refers to.
    """

    unittest: bool
    names: tuple[str, ...]


def plan_tests(code: str) -> PlannedTests:
    """The tests in `code`, in unittest's order: classes as written, methods by name.

    Raises:
        InputError: if `code` does not parse or decides nothing.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(
            f"the test file does not parse: {error}",
            remedy="Correct or drop it",
            field="tests.code",
        ) from error
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    cases = [name for name in classes if _is_case(name, classes)]
    names = [f"{name}.{method}" for name in cases for method in sorted(_methods(name, classes))]
    if names:
        return PlannedTests(unittest=True, names=tuple(names))
    if not any(isinstance(node, ast.Assert | ast.Raise) for node in ast.walk(tree)):
        raise InputError(
            "the test file asserts nothing", remedy="Give it asserts or tests", field="tests.code"
        )
    return PlannedTests(unittest=False, names=tuple(_uncalled_functions(tree)))


def _is_case(name: str, classes: dict[str, ast.ClassDef], seen: tuple[str, ...] = ()) -> bool:
    if name in seen or name not in classes:
        return False
    bases = [ast.unparse(base) for base in classes[name].bases]
    return any(
        base.rpartition(".")[2] in _CASE_CLASSES or _is_case(base, classes, (*seen, name))
        for base in bases
    )


def _methods(name: str, classes: dict[str, ast.ClassDef], seen: tuple[str, ...] = ()) -> set[str]:
    if name in seen or name not in classes:
        return set()
    node = classes[name]
    own = {
        item.name
        for item in node.body
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name.startswith("test")
    }
    inherited = (_methods(ast.unparse(base), classes, (*seen, name)) for base in node.bases)
    return own.union(*inherited)


def _uncalled_functions(tree: ast.Module) -> list[str]:
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test")
        and node.name not in used
        and not node.args.args
    ]
