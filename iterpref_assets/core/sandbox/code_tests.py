"""What a test file holds, found by reading it: the tests that must run, before anything runs."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TypeGuard

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.sandbox.inside import checks
from iterpref_assets.core.syntax import tree_of

_CASE_CLASSES = ("TestCase", "IsolatedAsyncioTestCase")
_PYTEST_HOOKS = frozenset({
    "__init__", "setup_method", "teardown_method", "setup_class", "teardown_class", "setUp",
})  # fmt: skip
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class PlannedTests:
    """The tests of a file, in the order they run.

    `names` are `Class.method` where the file has unittest classes. Otherwise the file runs as a
    script, and `names` are what nothing in it calls: its test functions, and the test methods of
    its other classes named `Test...`. `checks` is how many checks the file contains. `idle` are
    those of `names` that cannot fail, because they catch the failures of their own checks.
    """

    unittest: bool
    names: tuple[str, ...]
    checks: int = 0
    idle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProxiedTests:
    """A test file whose process the program is out of: it only calls one function of it.

    Arguments and results cross between two processes as plain data (numbers, texts, containers,
    arrays, tables); the verdict does not depend on anything else of the program.

    Attributes:
        code: the test file. It goes on in the module that `prelude` begins.
        prelude: source that the tests may rely on, such as the imports that the program was shown.
        entry_point: the function that it calls.
    """

    code: str
    prelude: str
    entry_point: str


def usable_tests(code: str) -> PlannedTests:
    """The tests in `code`, as `plan_tests` finds them, where each of them can fail.

    Raises:
        InputError: as `plan_tests` does, or naming a test that cannot fail.
    """
    plan = plan_tests(code)
    if plan.idle:
        raise _refused(f"{plan.idle[0]} cannot fail: it catches the failures of its own checks")
    return plan


def plan_tests(code: str) -> PlannedTests:
    """The tests in `code`, in unittest's order: classes as written, methods by name.

    Raises:
        InputError: if `code` does not parse, has no check that can fail, or has a test that nothing
            can call, named in the message.
    """
    try:
        tree = tree_of(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _refused(f"the test file does not parse: {error}") from error
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    cases = [name for name in classes if _is_case(name, classes)]
    tests = {
        f"{name}.{method}": function
        for name in cases
        for method, function in sorted(_methods(name, classes).items())
    }
    unittest = bool(tests)
    if not unittest:
        tests = _uncalled(tree, [node for name, node in classes.items() if name not in cases])
    idle = tuple(name for name, function in tests.items() if _all_caught(function))
    if not checks.found(tree):
        if _all_caught(tree):
            name = idle[0] if idle else "the test file"
            raise _refused(f"{name} cannot fail: it catches the failures of its own checks")
        raise _refused("the test file asserts nothing")
    return PlannedTests(unittest, tuple(tests), checks.mark(tree), idle)


def _all_caught(node: ast.AST) -> bool:
    """Whether there are checks in `node`, and none whose failure gets out."""
    return not checks.found(node) and any(checks.is_check(each) for each in ast.walk(node))


def _refused(problem: str) -> InputError:
    return InputError(problem, remedy="Correct the tests or drop them", field="tests.code")


def _is_case(name: str, classes: dict[str, ast.ClassDef], seen: tuple[str, ...] = ()) -> bool:
    if name in seen or name not in classes:
        return False
    bases = [ast.unparse(base) for base in classes[name].bases]
    return any(
        base.rpartition(".")[2] in _CASE_CLASSES or _is_case(base, classes, (*seen, name))
        for base in bases
    )


def _methods(
    name: str, classes: dict[str, ast.ClassDef], seen: tuple[str, ...] = ()
) -> dict[str, _Function]:
    """The test methods of a class by name, inherited ones too."""
    if name in seen or name not in classes:
        return {}
    node = classes[name]
    found: dict[str, _Function] = {}
    for base in reversed(node.bases):
        found |= _methods(ast.unparse(base), classes, (*seen, name))
    return found | {item.name: item for item in node.body if _is_test(item)}


def _is_test(node: ast.stmt) -> TypeGuard[_Function]:
    return isinstance(node, _Function) and node.name.startswith("test")


def _uncalled(tree: ast.Module, classes: list[ast.ClassDef]) -> dict[str, _Function]:
    """The test functions, and test methods of `classes`, that nothing in the file calls."""
    used = set(checks.reached_names(tree))
    found: dict[str, _Function] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and _is_test(node) and node.name not in used:
            found[node.name] = node
            _refuse_without_arguments(node.name, node, own=0)
        elif isinstance(node, ast.ClassDef) and node in classes and node.name.startswith("Test"):
            methods = _methods(node.name, {each.name: each for each in classes})
            if methods and node.name not in used:
                _refuse_hooks(node)
                for name, function in methods.items():
                    found[f"{node.name}.{name}"] = function
                    _refuse_without_arguments(f"{node.name}.{name}", function, own=1)
    return found


def _refuse_without_arguments(name: str, function: _Function, own: int) -> None:
    given = function.args
    positional = [*given.posonlyargs, *given.args][own:]
    needed = positional[: len(positional) - len(given.defaults)]
    needed += [
        each
        for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
        if default is None
    ]
    if needed:
        raise _refused(f"nothing gives {name} its parameter {needed[0].arg!r}")


def _refuse_hooks(node: ast.ClassDef) -> None:
    names = {item.name for item in node.body if isinstance(item, _Function)}
    if hooks := sorted(names & _PYTEST_HOOKS):
        raise _refused(f"{node.name} is no unittest.TestCase, and nothing calls its {hooks[0]}")
