"""Which functions of a test file come to run, as far as their names tell."""

from __future__ import annotations

import ast
import unittest
from collections.abc import Iterable
from typing import Any

from iterpref_assets.core.sandbox.inside import checks
from iterpref_assets.core.sandbox.regions import Region

_METHODS_OF_UNITTEST = frozenset(dir(unittest.IsolatedAsyncioTestCase))
_FUNCTIONS_OF_UNITTEST = ("setUpModule", "tearDownModule")


def reached(module: Region, functions: list[Region], tests: Iterable[ast.AST]) -> list[Region]:
    """Those of `functions` that the module, or one of the `tests`, leads to by their names.

    What a class that is used offers may be called by anyone, unless it is named as a test.
    """
    roots = set(map(id, tests))
    names = module.names()
    found: list[Region] = []
    left = [each for each in functions if not each.replaced]
    while True:
        new = [each for each in left if id(each.node) in roots or _is_reached(each, names)]
        if not new:
            return found
        found += new
        left = [each for each in left if each not in new]
        names.update(*(each.names() for each in new))


def _is_reached(function: Region, names: set[str]) -> bool:
    name, owner = function.plain_name, function.owner
    if name in names:
        return True
    if function.is_test:
        return False
    if function.decorators:
        return True
    if owner is None:
        return name in _FUNCTIONS_OF_UNITTEST
    return name in _METHODS_OF_UNITTEST or (owner.name in names and not _is_of_tests(owner))


def _is_of_tests(owner: ast.ClassDef) -> bool:
    """Whether a class holds tests, so that nobody calls its other methods of their own accord."""
    return any(item.name.startswith("test") for item in _functions_in(owner))


def _functions_in(owner: ast.ClassDef) -> list[Any]:
    return [each for each in owner.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]


def helpers_called(region: Region, functions: list[Region]) -> list[Region]:
    """The other functions that `region` calls, and those that they call."""
    found: list[Region] = []
    names = region.calls()
    while True:
        new = [
            each
            for each in functions
            if each.plain_name in names and each not in found and each.node is not region.node
        ]
        if not new:
            return found
        found += new
        names.update(*(each.calls() for each in new))


def asserts(function: Region) -> bool:
    """Whether a function checks something for a test, and is not one that may raise errors."""
    return any(not _only_raises(each) for each in function.checks())


def _only_raises(check: ast.stmt) -> bool:
    """Whether it is a branch that raises other errors than an assertion's."""
    if not checks.is_branch(check):
        return False
    raised = [each for each in ast.walk(check) if isinstance(each, ast.Raise)]
    asserting = [each for each in raised if each.exc is not None and _is_assertion(each.exc)]
    return bool(raised) and not asserting


def _is_assertion(error: ast.expr) -> bool:
    function = error.func if isinstance(error, ast.Call) else error
    return checks.name_of(function) == "AssertionError"
