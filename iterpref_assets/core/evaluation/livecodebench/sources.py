"""The text that a contest's program is run as: with the official imports, by either set of rules.

`strict` runs a program as Python runs a script. `official` runs it as LiveCodeBench's runner does:
as the body of a function that is called once per test, between stand-ins for standard input and
output that lack much of what files can do. They are written anew from what the runner's own do.
"""

from __future__ import annotations

import ast
from enum import StrEnum

from iterpref_assets.core.syntax import tree_of


class LiveCodeBenchRules(StrEnum):
    """How programs are judged."""

    STRICT = "strict"
    """As scripts, once per test."""
    OFFICIAL = "official"
    """As the official runner does, with its faults (docs/EVALUATION.md)."""


MAX_DIGITS = 50_000
"""Of an integer that is turned into text or read from it, as in the official runner."""

METHOD, FUNCTION = "_contest_method", "_contest_function"
"""What is called: of a program with a method, and of one that is the body of a function."""

_STAR_IMPORTS = (
    "string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random",
    "statistics", "itertools", "functools", "operator", "io", "sys", "json", "builtins", "typing",
)  # fmt: skip
_IMPORTS = "".join(f"from {name} import *\n" for name in _STAR_IMPORTS) + "".join(
    f"import {name}\n" for name in _STAR_IMPORTS[:-2]
)
"""What the official harness imports for every program."""

_LIMITS = f"sys.setrecursionlimit(50000)\nsys.set_int_max_str_digits({MAX_DIGITS})\n"
"""What it sets for every program."""

_PLAIN = """
def _contest_plain(value):
    if type(value).__module__ == "numpy" and hasattr(type(value), "item") and value.shape == ():
        return value.item()
    if type(value) in (list, tuple):
        return type(value)(map(_contest_plain, value))
    return value

def _contest_method(*arguments):
    value = _contest_call(*arguments)
    return _contest_plain(value) if "numpy" in sys.modules else value
"""
"""numpy's numbers equal Python's, so they are sent as such."""

_GUARD = """
def _contest_guard():
    import builtins, numpy, os, shutil, subprocess, sys
    builtins.quit = None
    for name in ("kill", "system", "putenv", "remove", "removedirs", "rmdir", "fchdir", "setuid",
                 "fork", "forkpty", "killpg", "rename", "renames", "truncate", "replace", "unlink",
                 "fchmod", "fchown", "chmod", "chown", "chroot", "lchflags", "lchmod", "lchown",
                 "getcwd", "chdir"):
        setattr(os, name, None)
    shutil.rmtree = shutil.move = shutil.chown = subprocess.Popen = None
    for name in ("ipdb", "joblib", "resource", "psutil", "tkinter"):
        sys.modules[name] = None
"""
"""Takes from programs what the official runner does before they run, numpy being loaded already."""

_GUARDED = "_contest_guard()\ndel _contest_guard\nquit = None\n"

_STAND_INS = """
class _ContestBuffer:
    def __init__(self, text):
        self._data = text.encode()

    def read(self, *size):
        return self._data

    def readline(self, *size):
        return self._data.split(b"\\n")[0] + b"\\n"

class _ContestStdin:
    def __init__(self, text):
        import io
        self._text, self._file = text, io.StringIO(text)
        self._lines = iter(text.split("\\n"))
        self.buffer = _ContestBuffer(text)

    def read(self, *size):
        return self._text

    def readline(self, *size):
        return next(self._lines)

    def readlines(self, *size):
        return self._text.split("\\n")

    def __getattr__(self, name):
        return getattr(self._file, name)

class _ContestOpen:
    def __init__(self, text):
        self._text, self._mock = text, None

    def __call__(self, *given, **named):
        if self._mock is None:
            from unittest.mock import mock_open
            self._mock = mock_open(read_data=self._text)
        return self._mock(*given, **named)

def _contest_rest():
    import threading, time
    since, until = time.process_time(), time.monotonic() + 0.1
    while (threading.active_count() > 1 and time.process_time() - since < 0.005
           and time.monotonic() < until):
        time.sleep(0.0005)

def _contest_function(text):
    import builtins, io, sys
    kept = builtins.open, sys.stdin, sys.stdout
    out = io.StringIO()
    out.close = lambda *given: 1
    builtins.open, sys.stdin, sys.stdout = _ContestOpen(text), _ContestStdin(text), out
    try:
        try:
            _contest_program()
        except SystemExit:
            pass
        _contest_rest()
    finally:
        builtins.open, sys.stdin, sys.stdout = kept
    return out.getvalue()
"""
"""What has been printed when the program returns counts, as in the official runner. There, threads
that it did not wait for run until Python switches to another one, after 5 ms by the clock; here for
5 ms of CPU time, or 0.1 s where they only wait."""

OPENING = f"{_IMPORTS}{_PLAIN}{_STAND_INS}{_GUARD}\n"
"""What all programs begin with whose calls are asked for. It leaves nothing but names, so that it
may have run before (`Sandbox`)."""


def method_source(code: str, method: str, rules: LiveCodeBenchRules) -> str:
    """A module whose `METHOD` calls the program's method."""
    holder = "Solution()." if "class Solution" in code else ""
    found = f"\n_contest_call = {holder}{method}\n"
    if rules is LiveCodeBenchRules.OFFICIAL:
        return f"{OPENING}{_GUARDED}{_LIMITS}\n\n{code}\n{found}"
    return f"{OPENING}{_LIMITS}{_run(code)}{found}"


def script_source(code: str) -> str:
    """The whole program, to be run as a script."""
    return f"{_IMPORTS}{_LIMITS}{_run(code)}"


def _run(code: str) -> str:
    """Run `code` as a text of its own, whose first statement may be `from __future__ import`."""
    return f"exec(compile({code!r}, '<solution>', 'exec', dont_inherit=True), globals())\n"


def function_source(code: str) -> str:
    """A module whose `FUNCTION` gives what the program prints for a text on standard input.

    The program is the body of a function, as the official runner rewrites it; one that does not
    parse stays as it is.
    """
    try:
        body = _without_main_check(tree_of(code).body)
        imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
        others = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
        definition = tree_of("def _contest_program(): pass").body[0]
        definition.body = others  # pyright: ignore[reportAttributeAccessIssue]
        module = ast.Module([*imports, definition], [])
        program = ast.unparse(ast.fix_missing_locations(module))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code
    return f"{OPENING}{_GUARDED}{_LIMITS}\n{program}\n"


def _without_main_check(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements, with the last one's block in place of `if __name__ == "__main__"`."""
    last = body[-1] if body else None
    if isinstance(last, ast.If) and ast.unparse(last.test) == "__name__ == '__main__'":
        return [*body[:-1], *last.body]
    return body
