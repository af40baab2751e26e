"""Reading a test file: what runs of it, in which order, and what else it holds."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.sandbox.inside import checks
from iterpref_assets.core.sandbox.reach import reached
from iterpref_assets.core.sandbox.regions import FunctionNode, Region, is_function, regions
from iterpref_assets.core.syntax import tree_of

_ASYNC_CASE = "IsolatedAsyncioTestCase"
_CASE_CLASSES = ("TestCase", _ASYNC_CASE)
_PYTEST_HOOKS = frozenset({
    "__init__", "setup_method", "teardown_method", "setup_class", "teardown_class", "setUp",
})  # fmt: skip


@dataclass(frozen=True)
class ReadTests:
    """A test file as syntax: `tests` by name, in the order they run, and all else that it holds.

    `awaiting` are the classes that await their tests.
    """

    tree: ast.Module
    unittest: bool
    tests: dict[str, FunctionNode]
    awaiting: tuple[str, ...] = ()

    @property
    def module(self) -> Region:
        """What runs when the file is loaded."""
        return self._regions[0]

    @property
    def functions(self) -> list[Region]:
        """All functions of the file."""
        return self._regions[1]

    @cached_property
    def reached(self) -> list[Region]:
        """Those of the functions that the module or a test leads to, as far as names tell."""
        return reached(self.module, self.functions, self.tests.values())

    @cached_property
    def _regions(self) -> tuple[Region, list[Region]]:
        return regions(self.tree, as_script=not self.unittest)

    def idle(self) -> list[str]:
        """The tests that nothing awaits or iterates over, so that calling them runs nothing."""
        return [
            name
            for name, function in self.tests.items()
            if self.region(name).is_generator()
            or (
                isinstance(function, ast.AsyncFunctionDef)
                and name.partition(".")[0] not in self.awaiting
            )
        ]

    def region(self, test: str) -> Region:
        """The function that a test is."""
        return Region(test, self.tests[test])


def read_tests(code: str) -> ReadTests:
    """The tests in `code`, in unittest's order: classes as written, methods by name.

    Raises:
        InputError: if `code` does not parse, or has a test that nothing can call.
    """
    try:
        tree = tree_of(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise refused(f"the test file does not parse: {error}") from error
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    cases = [name for name in classes if _is_case(name, classes, _CASE_CLASSES)]
    tests = {
        f"{name}.{method}": function
        for name in cases
        for method, function in sorted(_methods(name, classes).items())
    }
    if not tests:
        plain = {name: node for name, node in classes.items() if name not in cases}
        return ReadTests(tree, False, _uncalled(tree, plain))
    awaiting = [name for name in cases if _is_case(name, classes, (_ASYNC_CASE,))]
    return ReadTests(tree, True, tests, tuple(awaiting))


def refused(problem: str) -> InputError:
    """What to raise about a test file."""
    return InputError(problem, remedy="Correct the tests or drop them", field="tests.code")


def _is_case(
    name: str, classes: dict[str, ast.ClassDef], of: tuple[str, ...], seen: tuple[str, ...] = ()
) -> bool:
    if name in seen or name not in classes:
        return False
    bases = [ast.unparse(base) for base in classes[name].bases]
    return any(
        base.rpartition(".")[2] in of or _is_case(base, classes, of, (*seen, name))
        for base in bases
    )


def _methods(
    name: str, classes: dict[str, ast.ClassDef], seen: tuple[str, ...] = ()
) -> dict[str, FunctionNode]:
    """The test methods of a class by name, inherited ones too."""
    if name in seen or name not in classes:
        return {}
    node = classes[name]
    found: dict[str, FunctionNode] = {}
    for base in reversed(node.bases):
        found |= _methods(ast.unparse(base), classes, (*seen, name))
    tests = [each for each in node.body if is_function(each) and each.name.startswith("test")]
    return found | {each.name: each for each in tests}


def _uncalled(tree: ast.Module, classes: dict[str, ast.ClassDef]) -> dict[str, FunctionNode]:
    """The test functions, and test methods of `classes`, that nothing which runs calls."""
    used = set(checks.reached_names(tree))
    module, functions = regions(tree, as_script=True)
    run = reached(module, functions, _tests(tree, classes, used).values())
    used &= {*module.names(), *(name for each in run for name in each.names())}
    found = _tests(tree, classes, used)
    for name, function in found.items():
        owner = name.rpartition(".")[0]
        if owner:
            _refuse_hooks(classes[owner])
        _refuse_without_arguments(name, function, own=bool(owner))
    return found


def _tests(
    tree: ast.Module, classes: dict[str, ast.ClassDef], used: set[str]
) -> dict[str, FunctionNode]:
    """The test functions, and test methods of `classes`, but for those of the `used` names."""
    found: dict[str, FunctionNode] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            if node.name not in used:
                found[node.name] = node
        elif (
            isinstance(node, ast.ClassDef)
            and classes.get(node.name) is node
            and node.name.startswith("Test")
            and node.name not in used
        ):
            methods = _methods(node.name, classes)
            found |= {f"{node.name}.{name}": each for name, each in methods.items()}
    return found


def _refuse_without_arguments(name: str, function: FunctionNode, own: bool) -> None:
    given = function.args
    positional = [*given.posonlyargs, *given.args][own:]
    needed = positional[: len(positional) - len(given.defaults)]
    needed += [
        each
        for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
        if default is None
    ]
    if needed:
        raise refused(f"nothing gives {name} its parameter {needed[0].arg!r}")


def _refuse_hooks(node: ast.ClassDef) -> None:
    names = {item.name for item in node.body if is_function(item)}
    if hooks := sorted(names & _PYTEST_HOOKS):
        raise refused(f"{node.name} is no unittest.TestCase, and nothing calls its {hooks[0]}")
