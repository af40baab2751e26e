"""The text that a contest's program is run as: with the official imports, by either set of rules.

`strict` runs a program as Python runs a script. `official` runs it as LiveCodeBench's runner does:
as the body of a function, between stand-ins for standard input and output that lack much of what
files can do. The stand-ins are written anew from what the runner's own do.
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

ENTRY_POINT = "_contest_method"

_STAR_IMPORTS = (
    "string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random",
    "statistics", "itertools", "functools", "operator", "io", "sys", "json", "builtins", "typing",
)  # fmt: skip
PRELUDE = (
    "".join(f"from {name} import *\n" for name in _STAR_IMPORTS)
    + "".join(f"import {name}\n" for name in _STAR_IMPORTS[:-2])
    + "sys.setrecursionlimit(50000)\n"
    + f"sys.set_int_max_str_digits({MAX_DIGITS})\n"
)
"""What the official harness imports for every program."""

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
from os import _exit as _contest_exit, unlink as _contest_unlink

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

_contest_guard()
del _contest_guard
"""
"""What the official runner takes from programs before they run, numpy being loaded already."""

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

def _contest_run():
    import builtins, io, os, sys
    text, place = sys.stdin.read(), os.path.realpath("/dev/stdin")
    if os.path.exists(place):
        _contest_unlink(place)
    out, null = os.dup(1), os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    sys.stdout = io.StringIO()
    sys.stdout.close = lambda *given: 1
    builtins.open, sys.stdin = _ContestOpen(text), _ContestStdin(text)
    try:
        _contest_program()
    except SystemExit:
        pass
    printed, sys.stdout = sys.stdout.getvalue(), io.StringIO()
    with io.open(out, "wb") as file:
        file.write(printed.encode(errors="replace"))
    _contest_exit(0)

_contest_run()
"""
"""At the end the process is gone, with the threads that the program did not wait for: the official
runner has its verdict by then."""


def method_source(code: str, method: str, rules: LiveCodeBenchRules) -> str:
    """A module whose `ENTRY_POINT` calls the program's method."""
    holder = "Solution()." if "class Solution" in code else ""
    found = f"\n_contest_call = {holder}{method}\n{_PLAIN}"
    if rules is LiveCodeBenchRules.OFFICIAL:
        return f"{_GUARD}{PRELUDE}\n\n{code}\n{found}"
    return f"{PRELUDE}{_run(code)}{found}"


def script_source(code: str, rules: LiveCodeBenchRules) -> str:
    """The whole program, to be run as a script."""
    if rules is LiveCodeBenchRules.OFFICIAL:
        return _as_function(code)
    return PRELUDE + _run(code)


def _run(code: str) -> str:
    """Run `code` as a text of its own, whose first statement may be `from __future__ import`."""
    return f"exec(compile({code!r}, '<solution>', 'exec', dont_inherit=True), globals())\n"


def _as_function(code: str) -> str:
    """The program as the official runner rewrites it; one that does not parse stays as it is."""
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
    return f"{_GUARD}{PRELUDE}\n{program}\n{_STAND_INS}"


def _without_main_check(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements, with the last one's block in place of `if __name__ == "__main__"`."""
    last = body[-1] if body else None
    if isinstance(last, ast.If) and ast.unparse(last.test) == "__name__ == '__main__'":
        return [*body[:-1], *last.body]
    return body
