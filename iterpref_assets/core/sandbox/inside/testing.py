"""Running a test file beside the candidate, as hardened as one process allows.

All that the runner needs is loaded and noted before the candidate runs. The outcome leaves once, at
the end, through a descriptor opened before, together with a nonce that lies unread in a pipe until
then: no frame, object or page of memory holds it while the candidate runs. What remains possible is
listed in docs/SANDBOX.md.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import gc
import marshal
import operator
import os
import sys
import unittest
import unittest.case
import unittest.mock
import unittest.result
import unittest.suite
import unittest.util
from types import CodeType, FunctionType, ModuleType, TracebackType
from typing import Any

from . import checks, encoding, program, proxy, sides

_TEST_FILE, _PROGRAM = "<tests>", "<solution>"
_BUILTINS = "__builtins__"
_PROTECTED: tuple[Any, ...] = (
    builtins,
    unittest,
    unittest.case,
    unittest.result,
    unittest.suite,
    unittest.mock,
    unittest.TestCase,
    unittest.TestResult,
    unittest.TestSuite,
    unittest.BaseTestSuite,
    contextlib._GeneratorContextManager,  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    *(each for each in vars(unittest.case).values() if isinstance(each, type)),
)
_SETTABLE = unittest.util
"""Holds functions that assertions call, beside numbers that a test file may set."""

unittest.mock.mock_open()
"""Its first call fills in module globals, which must not look like the candidate's doing."""

_Error = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class TamperGuard:
    """Notes what tests rely on, to tell whether the candidate has changed it."""

    def __init__(self) -> None:
        self.notes = [(owner, _note(owner)) for owner in _PROTECTED]
        self.notes.append((_SETTABLE, _code(_note(_SETTABLE))))
        self.modules = [module for module, _ in self.notes if isinstance(module, ModuleType)]
        self.cases: list[tuple[type, dict[str, tuple[Any, ...]]]] = []
        self.builtins = vars(builtins)
        self.namespaces: list[dict[str, Any]] = []
        self.functions: list[FunctionType] = []

    def open_namespace(self, module: ModuleType) -> dict[str, Any]:
        """The names of a module, in which code finds Python's own builtins and no others."""
        namespace = vars(module)
        namespace[_BUILTINS] = self.builtins
        self.namespaces.append(namespace)
        return namespace

    def watch(self, namespace: dict[str, Any]) -> None:
        """Note the functions of the test classes too, once they are defined."""
        for value in namespace.values():
            if not isinstance(value, type) or value is unittest.TestCase:
                continue
            if issubclass(value, unittest.TestCase):
                notes = _note(value)
                functions = {name: notes[name] for name in notes if callable(getattr(value, name))}
                self.cases.append((value, functions))
                self.functions += [
                    each for each, *_ in notes.values() if isinstance(each, FunctionType)
                ]

    def changed(self) -> str:
        """The name of something that is no longer what it was, or ""."""
        if self._sees_other_builtins():
            return _BUILTINS
        for module in self.modules:
            if sys.modules.get(module.__name__) is not module:
                return module.__name__
        for owner, noted in self.notes + self.cases:
            now = _note(owner)
            for name, parts in noted.items():
                if name not in now or not _same(now[name], parts):
                    return f"{owner.__name__}.{name}"
        return self._added()

    def _added(self) -> str:
        """The name of something that a class of unittest, or a test class, has got since, or ""."""
        for owner, noted in self.notes:
            for name in vars(owner).keys() - noted.keys():
                if isinstance(owner, type):
                    return f"{owner.__name__}.{name}"
        for case, noted in self.cases:
            for name in vars(case).keys() - noted.keys():
                if callable(getattr(unittest.TestCase, name, None)):
                    return f"{case.__name__}.{name}"
        return ""

    def _sees_other_builtins(self) -> bool:
        """Whether code would find other builtins than Python's, or a test already has."""
        seen = [each.get(_BUILTINS) for each in self.namespaces]
        seen += [each.__builtins__ for each in self.functions]
        return any(each is not self.builtins for each in seen)


def _note(owner: Any) -> dict[str, tuple[Any, ...]]:
    """What `owner` holds by name, with the parts of functions, which can be swapped."""
    return {name: (value, *_parts(value)) for name, value in vars(owner).items() if name != "_"}


def _code(notes: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Of what is noted, the functions and classes."""
    return {name: parts for name, parts in notes.items() if callable(parts[0])}


def _parts(value: Any) -> tuple[Any, ...]:
    """The code of a function and the values of its defaults."""
    if not isinstance(value, FunctionType):
        return ()
    keywords = value.__kwdefaults__ or {}
    return (value.__code__, *(value.__defaults__ or ()), *keywords, *keywords.values())


def _same(now: tuple[Any, ...], noted: tuple[Any, ...]) -> bool:
    """Whether the parts are the very same objects."""
    return len(now) == len(noted) and all(map(operator.is_, now, noted))


class Teller:
    """Sends the number of a check the first time that it ran in a test, with the test's place.

    They are counted where tests are planned. What runs outside the tests has the place after them.
    """

    def __init__(self, results: int, write: Any, tests: int) -> None:
        self.place = tests
        self._results, self._write = results, write
        self._told: set[tuple[int, int]] = set()
        self._head = program.CHECK + (8).to_bytes(4, "little")

    def ran(self, number: int) -> None:
        """Called by the test file behind its check of that number."""
        told = (self.place, number)
        if told not in self._told:
            self._told.add(told)
            payload = b"".join(each.to_bytes(4, "little") for each in told)
            self._write(self._results, self._head + payload)


class FirstFailure(unittest.TestResult):
    """Keeps the first test that did not pass, and stops there."""

    def __init__(self, teller: Teller) -> None:
        super().__init__()
        self.teller = teller
        self.started = 0
        self.failfast = True
        self.passed = 0
        self.first: tuple[str, str, BaseException | None, TracebackType | None] | None = None

    def _note(self, kind: str, test: Any, error: _Error) -> None:
        if self.first is None:
            name = f"{type(test).__name__}.{getattr(test, '_testMethodName', '')}"
            self.first = (kind, name, error[1], error[2])
        self.shouldStop = True

    def startTest(self, test: Any) -> None:  # noqa: N802 - unittest's name
        """What runs from now on runs for this test."""
        super().startTest(test)
        self.teller.place = self.started
        self.started += 1

    def addSuccess(self, test: Any) -> None:  # noqa: ARG002, N802 - unittest's name
        """Counted: a test that neither passes nor fails must not go unnoticed."""
        self.passed += 1

    def addExpectedFailure(self, test: Any, err: _Error) -> None:  # noqa: ARG002, N802
        """A test that fails as its author said it would passes."""
        self.passed += 1

    def addError(self, test: Any, err: _Error) -> None:  # noqa: N802 - unittest's name
        """An error stops the run."""
        self._note("error", test, err)

    def addFailure(self, test: Any, err: _Error) -> None:  # noqa: N802
        """A failed assertion stops the run."""
        self._note("failed", test, err)

    def addSubTest(self, test: Any, subtest: Any, err: _Error | None) -> None:  # noqa: ARG002, N802
        """A failed part of a test stops the run."""
        if err is not None:
            failed = err[0] is not None and issubclass(err[0], test.failureException)
            self._note("failed" if failed else "error", test, err)

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        """A test that skips itself does not pass."""
        super().addSkip(test, reason)
        self._note("error", test, (None, unittest.SkipTest(reason), None))

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802
        """A test that should have failed does not pass."""
        self._note("failed", test, (None, AssertionError("unexpected success"), None))


def run_proxied(plan: dict[str, Any], results: int, nonce: int, channel: int) -> None:
    """Run the tests of `plan` on a program in another process, which `channel` leads to.

    What stands in the program's place is the plan's `prelude`, and the function that asks for it.
    """
    solution = proxy.Solution(channel, plan["entry_point"])
    run_tests(plan["prelude"], plan, results, nonce, solution)


def run_tests(
    source: str,
    plan: dict[str, Any],
    results: int,
    nonce: int,
    solution: proxy.Solution | None = None,
) -> None:
    """Run the tests of `plan` against `source`, and report their outcome with the nonce."""
    write, read, dumps, file_format = os.write, os.read, marshal.dumps, encoding.FORMAT
    describe = program.describe
    teller = Teller(results, write, len(plan["names"]))
    tests = _compiled(plan["code"], teller.ran)
    for name in [each for each in sys.modules if each.partition(".")[0] == "inside"]:
        del sys.modules[name]
    setattr(unittest.case, "_ShouldStop", ())  # noqa: B010 - `except` matches nothing by it
    guard = TamperGuard()
    outcome = _outcome(source, plan, tests, FirstFailure(teller), describe, guard, solution)
    changed = guard.changed()
    if changed:
        outcome = ("tampered", "", "", changed, 0, 0)
    gc.disable()
    payload = dumps((read(nonce, program.NONCE_BYTES), *outcome), file_format)
    data = program.OUTCOME + len(payload).to_bytes(4, "little") + payload
    while data:
        data = data[write(results, data) :]


def _compiled(code: str, ran: Any) -> CodeType:
    """The test file, calling `ran` with the number of each check when it has run."""
    tree = ast.parse(code, _TEST_FILE)
    checks.mark(tree)
    setattr(builtins, checks.MARK, ran)
    return compile(tree, _TEST_FILE, "exec", dont_inherit=True)


def _outcome(
    source: str,
    plan: dict[str, Any],
    tests: CodeType,
    result: FirstFailure,
    describe: Any,
    guard: TamperGuard,
    solution: proxy.Solution | None,
) -> tuple[Any, ...]:
    """(kind, test, error type, message, line of the test file, tests passed)."""
    name = ""
    try:
        module = _load(source, plan, guard)
        sys.settrace(None)
        sys.setprofile(None)
        if guard.changed():
            return ()
        namespace = vars(module) if plan["shared"] else guard.open_namespace(_test_module(plan))
        if solution is not None:
            namespace[solution.name] = solution.call
        exec(tests, namespace)  # noqa: S102 - this is the point
        if guard.changed():
            return ()
        guard.watch(namespace)
        if solution is not None:
            solution.load()
        if plan["unittest"]:
            suite = unittest.TestSuite(_case(namespace, each) for each in plan["names"])
            suite.run(result)
        else:
            for result.teller.place, name in enumerate(plan["names"]):
                _test(namespace, name)()
                result.passed += 1
    except BaseException as error:  # noqa: BLE001 - SystemExit too is an outcome
        kind = "failed" if isinstance(error, AssertionError) else "error"
        trace = error.__traceback__
        return (kind, name, *_told(error, trace, plan, source, describe), result.passed)
    if result.first is not None:
        kind, name, error, trace = result.first
        return (kind, name, *_told(error, trace, plan, source, describe), result.passed)
    return ("passed", "", "", "", 0, result.passed)


def _told(
    error: BaseException | None,
    trace: TracebackType | None,
    plan: dict[str, Any],
    source: str,
    describe: Any,
) -> tuple[str, str, int]:
    """The error's type, what it says, and the line of the test file.

    Of an assertion of the test file its values are told, of an error in the program the line.
    """
    name, message = describe(error)
    number = _syntax_error_line(error) or _line(trace, _PROGRAM)
    if isinstance(error, AssertionError) and not number:
        values = sides.compared(trace, plan["code"], _TEST_FILE)
        message = ": ".join(each for each in (message, values) if each)
    lines = source.split("\n")
    if 0 < number <= len(lines):
        message += f", in line {number}: {lines[number - 1].strip()}"
    for note in getattr(error, "__notes__", ()):
        message += f", {note}"
    return name, message, _line(trace, _TEST_FILE)


def _load(source: str, plan: dict[str, Any], guard: TamperGuard) -> ModuleType:
    module = ModuleType(plan["module"])
    sys.modules[plan["module"]] = module
    compiled = compile(source, _PROGRAM, "exec", dont_inherit=True)
    exec(compiled, guard.open_namespace(module))  # noqa: S102
    return module


def _test_module(plan: dict[str, Any]) -> ModuleType:
    module = ModuleType("test_solution" if plan["unittest"] else "__main__")
    sys.modules[module.__name__] = module
    return module


def _case(namespace: dict[str, Any], name: str) -> Any:
    owner, _, method = name.partition(".")
    return namespace[owner](method)


def _test(namespace: dict[str, Any], name: str) -> Any:
    """The function to call, of a fresh object where it is a class's."""
    owner, _, method = name.rpartition(".")
    return getattr(namespace[owner](), method) if owner else namespace[method]


def _syntax_error_line(error: BaseException | None) -> int:
    """The program's line that is no Python; the candidate may have made the error itself."""
    if not isinstance(error, SyntaxError):
        return 0
    file, line = error.filename, error.lineno
    is_told = type(file) is str and type(line) is int and file == _PROGRAM
    return line if is_told and line else 0


def _line(trace: TracebackType | None, file: str) -> int:
    """The innermost line of a file on the way to the error, or 0."""
    line = 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
