"""What a test file holds, found by reading it: the tests that must run, before anything runs."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.cannot_fail import problems
from iterpref_assets.core.sandbox.inside import checks
from iterpref_assets.core.sandbox.must_run import must_run
from iterpref_assets.core.sandbox.planning import ReadTests, read_tests, refused
from iterpref_assets.core.sandbox.solution_use import uses_solution

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class PlannedTests:
    """The tests of a file, in the order they run.

    `names` are `Class.method` where the file has unittest classes. Otherwise the file runs as a
    script, and `names` are what nothing that runs calls: its test functions, and the test methods
    of its other classes named `Test...`. `checks` is how many checks the file contains. `idle` are
    those of `names` that cannot fail, because they catch the failures of their own checks.
    """

    unittest: bool
    names: tuple[str, ...]
    checks: int = 0
    idle: tuple[str, ...] = ()


class ContinuedTests(CodeTests):
    """A benchmark's test file, of which its harness runs one class in the program's own module.

    `case` is the class's name.
    """

    shared_namespace: bool = True
    case: str


@dataclass(frozen=True, slots=True)
class ProxiedTests:
    """A test file whose process the program is out of: it only calls one function of it.

    Arguments and results cross between two processes as plain data (numbers, texts, containers,
    arrays, tables); the verdict does not depend on anything else of the program.

    Attributes:
        code: the test file. It goes on in the module that `prelude` begins.
        prelude: source that the tests may rely on, such as the imports that the program was shown.
        entry_point: the function that it calls.
        case: the class whose tests are run, "" for all of them.
    """

    code: str
    prelude: str
    entry_point: str
    case: str = ""


def require_usable(tests: CodeTests, entry_point: str = "") -> None:
    """Refuse a test file of which a test is not run or cannot fail, or that tests no program.

    `entry_point` is the function that it tests, where that is known.

    Raises:
        InputError: as `usable_tests` does, or because the file does not use the program.
    """
    usable_tests(tests.code)
    if not _or_refused(uses_solution, tests, entry_point):
        raise refused(f"the test file uses nothing of the module {tests.module!r} that it tests")


def usable_tests(code: str) -> PlannedTests:
    """The tests in `code`, as `plan_tests` finds them, where each of them runs and can fail.

    Raises:
        InputError: as `plan_tests` does, or naming a test that nothing runs or that cannot fail.
    """
    read = _or_refused(read_tests, code)
    plan = _or_refused(_planned, read)
    if plan.idle:
        raise refused(f"{plan.idle[0]} cannot fail: it catches the failures of its own checks")
    if problem := next(problems(read), ""):
        raise refused(problem)
    return plan


def plan_tests(code: str, case: str = "") -> PlannedTests:
    """The tests in `code`, in unittest's order: classes as written, methods by name.

    Where `case` names a class, its tests alone.

    Raises:
        InputError: if `code` does not parse, has no check that can fail, or has a test that nothing
            can call, named in the message; or if the class has no tests.
    """
    read = _or_refused(read_tests, code)
    return _or_refused(_planned, _of_case(read, case) if case else read)


def _of_case(read: ReadTests, case: str) -> ReadTests:
    tests = {name: each for name, each in read.tests.items() if name.startswith(f"{case}.")}
    if not tests:
        raise refused(f"the test file has no tests in a class {case}")
    return replace(read, tests=tests)


def _or_refused(look: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """What `look` finds in a test file; one that nests too deep or does not compile is refused."""
    try:
        return look(*args, **kwargs)
    except (RecursionError, SyntaxError) as error:
        raise refused(f"the test file cannot be read: {error}") from error


def not_run(code: str, ran: set[tuple[str, int]]) -> str:
    """What ran none of its checks of the test file `code`, or "".

    `ran` are the checks that did: the name of the test that ran each, and its number.
    """
    for each in must_run(read_tests(code)):
        if not each.ran(ran):
            return f"{each.name}: none of its {len(each.checks)} checks ran"
    return ""


def _planned(read: ReadTests) -> PlannedTests:
    idle = tuple(name for name, function in read.tests.items() if _all_caught(function))
    if not checks.found(read.tree):
        if _all_caught(read.tree):
            name = idle[0] if idle else "the test file"
            raise refused(f"{name} cannot fail: it catches the failures of its own checks")
        raise refused("the test file asserts nothing")
    count = len(checks.numbered(read.tree))
    return PlannedTests(read.unittest, tuple(read.tests), count, idle)


def _all_caught(node: ast.AST) -> bool:
    """Whether there are checks in `node`, and none whose failure gets out."""
    return not checks.found(node) and any(checks.is_check(each) for each in ast.walk(node))
