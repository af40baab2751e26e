"""Calls of other modules that show what a function gives, or test it, and do nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

LOGGING = frozenset({"critical", "debug", "error", "exception", "info", "log", "warning"})
"""Methods of loggers that write a message."""

_EXITS = frozenset({"exit", "quit", "sys.exit", "os._exit"})
_SHOWING = _EXITS | {
    "asyncio.get_event_loop.run_until_complete", "asyncio.run", "pprint.pp", "pprint.pprint",
    "print", "pytest.main", "rich.print", "sys.stderr.flush", "sys.stderr.write",
    "sys.stdout.flush", "sys.stdout.write", "sys.stdout.writelines", "traceback.print_exc",
    "unittest.TextTestRunner.run", "unittest.main",
    *(f"logging.{name}" for name in LOGGING),
    *(f"doctest.{name}" for name in ("run_docstring_examples", "testfile", "testmod")),
}  # fmt: skip
_TESTING = ("numpy.testing.assert_", "pandas.testing.assert_")


def imported_names(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """What each name stands for that `nodes` import, dotted, such as `np` for `numpy`."""
    found: dict[str, str] = {}
    for node in nodes:
        match node:
            case ast.Import(names=names):
                for each in names:
                    first = each.name.partition(".")[0]
                    found[each.asname or first] = each.name if each.asname else first
            case ast.ImportFrom(module=str(module), names=names):
                found |= {each.asname or each.name: f"{module}.{each.name}" for each in names}
            case _:
                pass
    return found


def shows(call: ast.Call, imported: Mapping[str, str]) -> bool:
    """Whether all that a call does is to show or test its arguments, or to end the program."""
    name = _dotted(call.func, imported)
    return name in _SHOWING or name.startswith(_TESTING)


def fails_a_test(node: ast.Raise) -> bool:
    """Whether a statement says that a test of the program's own failed."""
    return _raised(node) == "AssertionError"


def exits(node: ast.Raise) -> bool:
    """Whether a statement ends the program."""
    return _raised(node) == "SystemExit"


def _raised(node: ast.Raise) -> str | None:
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return raised.id if isinstance(raised, ast.Name) else None


def _dotted(node: ast.expr, imported: Mapping[str, str]) -> str:
    """`a.b.c` of expressions such as `a.b().c`; empty where it begins with something else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute | ast.Call):
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
        node = node.func if isinstance(node, ast.Call) else node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([imported.get(node.id, node.id), *reversed(names)])
