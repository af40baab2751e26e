"""Running one program in its own process: load the code, make the calls, report each result.

Everything after `exec` is in the candidate's hands; what is reported here is only a claim, and
holds nothing the candidate could not have written itself.
"""

from __future__ import annotations

import atexit
import builtins
import gc
import linecache
import marshal
import os
import signal
import sys
from contextlib import suppress
from types import ModuleType
from typing import Any

from . import encoding

RAISED, NOT_LOADED, NO_FUNCTION, REFUSED, LOADED = b"E", b"L", b"N", b"F", b"R"
OVERDUE = b"T"
OUTCOME, CHECK = b"T", b"C"
NONCE_BYTES = 32
"""What the runner of a test file sends at the end and when a check has first run, and how long the
number is that proves the former."""

RESULTS = 3
"""The descriptor that results are written to."""

_MAX_MESSAGE = 2000

AT_ONCE = 16
_TOGETHER = 64
_MAX_PENDING = 1 << 16
"""The first results are sent one by one, because most wrong programs show it early; later ones up
to so many and so many bytes at a time, because a write and its wake-up take longer than most calls.
A process that is killed takes the unsent ones with it: the run then ends a few calls earlier, as
killed all the same, and a second run with `one_by_one` tells in which call."""

_pending = bytearray()
_MODULE = "solution"
_FILE = f"<{_MODULE}>"


def put(kind: bytes, payload: bytes) -> None:
    """Keep one frame for the next `flush`: kind, length, payload."""
    _pending.extend(kind + len(payload).to_bytes(4, "little") + payload)


def flush() -> None:
    """Write the frames that were put."""
    with memoryview(_pending) as data:
        sent = 0
        while sent < len(data):
            sent += os.write(RESULTS, data[sent:])
    _pending.clear()


def send(kind: bytes, payload: bytes) -> None:
    """Write one frame."""
    put(kind, payload)
    flush()


def describe(error: BaseException) -> tuple[str, str]:
    """An exception's class name and its message."""
    try:
        # A SyntaxError's text ends with the line, which `line_of` gives for every exception.
        text = str(error.msg if isinstance(error, SyntaxError) else error)
        message = str.__str__(text[:_MAX_MESSAGE])
    except BaseException:  # noqa: BLE001 - the candidate's __str__ may do anything
        message = ""
    return str.__str__(type(error).__name__[:_MAX_MESSAGE]), message


def line_of(error: BaseException) -> int:
    """The innermost line of the program on the way to the error; 0 where there is none."""
    try:
        if isinstance(error, SyntaxError) and error.filename == _FILE:
            return int(error.lineno or 0)
        line, trace = 0, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == _FILE:
                line = trace.tb_lineno or 0
            trace = trace.tb_next
    except BaseException:  # noqa: BLE001 - the candidate's exception may be anything
        return 0
    return line


def send_error(kind: bytes, error: BaseException) -> None:
    """Report an exception."""
    send(kind, _described(error))


def _described(error: BaseException) -> bytes:
    return marshal.dumps((*describe(error), line_of(error), _kinds(error)), encoding.FORMAT)


def _kinds(error: BaseException) -> list[str]:
    """The names of all classes that the error is of; a built-in one's means that class alone."""
    return [
        str.__str__(kind.__name__[:_MAX_MESSAGE])
        for kind in type(error).__mro__
        if getattr(builtins, kind.__name__, kind) is kind
    ]


def opened_module(opening: str) -> ModuleType | None:
    """In the server: a module in which the text that programs begin with has run, if there is one.

    Each program is a fork, and has this module as its own: a copy of it would touch every object
    that the text names, and so take longer than running most programs.
    """
    if not opening:
        return None
    module = ModuleType(_MODULE)
    exec(compile(opening, _FILE, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    return module


def load(code: str, name: str, module: ModuleType | None = None) -> ModuleType:
    """Run `code` as the module `name`: as `module` where that is given, else as a new one."""
    module = module or ModuleType(name)
    sys.modules[name] = module
    # For `traceback` and `inspect`, which find no file of that name.
    module.__file__ = _FILE
    linecache.cache[_FILE] = len(code), None, [f"{line}\n" for line in code.split("\n")], _FILE
    exec(compile(code, _FILE, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    return module


def run_calls(
    code: str,
    entry_point: str,
    calls: bytes,
    max_result: int,
    call_seconds: float | None,
    *,
    one_by_one: bool,
    opened: ModuleType | None,
) -> None:
    """Load the program and report the outcome of each call, or why there is none.

    It goes on in `opened` where what it begins with has run there.
    """
    signal.signal(signal.SIGPROF, _overdue)
    try:
        module = load(code, _MODULE, opened)
    except BaseException as error:  # noqa: BLE001 - SystemExit too is an outcome
        send_error(NOT_LOADED, error)
        return
    function = module.__dict__.get(entry_point)
    if not callable(function):
        send(NO_FUNCTION, b"")
        return
    send(LOADED, b"")
    alone = sys.maxsize if one_by_one else AT_ONCE
    for number, arguments in enumerate(marshal.loads(calls)):  # noqa: S302 - the trusted side's
        _call(function, marshal.loads(arguments), max_result, call_seconds or 0.0)  # noqa: S302
        if number < alone or number % _TOGETHER == 0 or len(_pending) > _MAX_PENDING:
            flush()
    flush()


def _overdue(_number: int, _frame: Any) -> None:
    send(OVERDUE, b"")
    os._exit(0)


def _call(function: Any, arguments: tuple[Any, ...], max_result: int, call_seconds: float) -> None:
    try:
        # The clock stands still while a result is put or sent: no frame is cut in two.
        signal.setitimer(signal.ITIMER_PROF, call_seconds)
        try:
            value = function(*arguments)
            kind, payload = encoding.encode(value, max_result)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except encoding.TooDeepError:
        put(REFUSED, b"")
    except BaseException as error:  # noqa: BLE001 - SystemExit too is an outcome
        put(RAISED, _described(error))
    else:
        put(kind, payload)


def run_script(code: str) -> None:
    """Run the program as `__main__` on stdin and stdout, and end it as Python ends a script."""
    try:
        load(code, "__main__")
    except SystemExit as error:
        if error.code not in (None, 0):
            send_error(RAISED, error)
    except BaseException as error:  # noqa: BLE001 - every exception is an outcome
        send_error(RAISED, error)
    for step in _ENDING:
        with suppress(BaseException):  # whatever the program made of it; Python goes on as well
            step()


def _join_threads() -> None:
    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()  # noqa: SLF001 - there is no other name for it


def _flush() -> None:
    sys.stdout.flush()


def _let_go() -> None:
    """Drop what may write when it is collected: the module and streams in place of Python's."""
    sys.modules.pop("__main__", None)
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__


_ENDING = (
    _join_threads,
    atexit._run_exitfuncs,  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    _flush,
    gc.collect,
    _let_go,
    gc.collect,
    _flush,
)
"""What Python does when a script has run, in its order; much of what it prints may come from there.
The first collection puts what refers to a file before the file, in the order to close them in."""
