"""What a forked child does before and after it becomes the program: confine itself, run, exit."""

from __future__ import annotations

import marshal
import math
import os
import random
import sys
import traceback
from contextlib import suppress
from types import ModuleType
from typing import Any, NoReturn

from . import kernel, program, proxy
from .isolation import Isolation

BROKEN = 71
"""The exit code of a child that could not be confined; it has said why on stderr."""

_FAILED = 70
_HIDING = range(20, 60)
"""Where the descriptors of a test run may lie, at random."""

STACK_BYTES = 16 << 20

_FILES = {"solution": 1, "proxied": 1}
"""How many of a run's descriptors are files to read, where it is not two; the others are its ends
of pipes."""


def become_program(
    request: dict[str, Any],
    descriptors: list[int],
    isolation: Isolation,
    filter_: Any,
    opened: ModuleType | None,
) -> NoReturn:
    """Give up everything, then run the program within the limits of `request`.

    A program whose calls are asked for goes on in `opened` where the request says that it begins
    with what has run there.
    """
    try:
        isolation.processes.volunteer()
        if request["kind"] == "script" and isolation.stdin:
            _offer(descriptors[1], isolation.stdin)
        contents, places = _take(request["kind"], descriptors)
        os.setsid()
        os.chdir(isolation.directory)
        kernel.set_limits(_limits(request))
        isolation.confine()
        kernel.load_filter(filter_)
        _silence_stderr()
        _seed()
    except BaseException:  # noqa: BLE001 - the sandbox's own fault, whatever it is
        traceback.print_exc()
        os._exit(BROKEN)
    exit_code = _FAILED
    try:
        if request["kind"] == "script":
            program.run_script(_text(contents[0]))
        elif request["kind"] == "solution":
            proxy.serve(_text(contents[0]), places[0], request["entry_point"])
        elif request["kind"] in ("tests", "proxied"):
            from . import testing  # there already, by `Server.load_test_runner`

            plan = marshal.loads(contents[-1])  # noqa: S302 - the trusted side's
            if request["kind"] == "tests":
                testing.run_tests(_text(contents[0]), plan, places[0], places[1])
            else:
                testing.run_proxied(plan, places[0], places[1], places[2])
        else:
            program.run_calls(
                _text(contents[0]),
                request["entry_point"],
                contents[1],
                request["result_bytes"],
                request["call_cpu_seconds"],
                one_by_one=request["one_by_one"],
                opened=opened if request["opened"] else None,
            )
        exit_code = 0
    finally:
        os._exit(exit_code)


def _text(source: bytes) -> str:
    return source.decode("utf-8", "surrogatepass")


def _take(kind: str, descriptors: list[int]) -> tuple[list[bytes], list[int]]:
    """Read what the program is to run, and keep open only what it may hold.

    Returns the files' contents, and where the ends of pipes lie.
    """
    files = _FILES.get(kind, 2)
    contents = [_read_all(each) for each in descriptors[: 1 if kind == "script" else files]]
    null = os.open("/dev/null", os.O_RDWR)
    moved = [os.dup(each) for each in descriptors]
    os.dup2(moved[1] if kind == "script" else null, 0)
    os.dup2(moved[3] if kind == "script" else null, 1)
    if kind == "script":
        os.lseek(0, 0, os.SEEK_SET)
    places = [program.RESULTS]
    if kind in ("tests", "proxied"):
        places = random.SystemRandom().sample(_HIDING, len(descriptors) - files)
    for descriptor, place in zip(moved[files:], places, strict=False):
        os.dup2(descriptor, place)
    start = 3
    for place in sorted(places):
        os.closerange(start, place)
        start = place + 1
    os.closerange(start, 1 << 20)
    return contents, places


def _offer(descriptor: int, path: str) -> None:
    """Let a script open its standard input by name; nothing to open where there is no room."""
    try:
        with open(path, "xb") as copy:  # noqa: PTH123 - pathlib is not loaded here
            copy.write(_read_all(descriptor))
    except OSError:
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108


def _seed() -> None:
    """Let a program draw the same numbers each time it is run."""
    random.seed(0)  # here, because forking reseeds it
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed(0)


def _limits(request: dict[str, Any]) -> dict[str, int]:
    return {
        "AS": request["address_space"],
        "CPU": math.ceil(request["cpu_seconds"]) + 1,
        "NPROC": request["processes"],
        "FSIZE": request["file_bytes"],
        "NOFILE": request["open_files"],
        "STACK": STACK_BYTES,
        "CORE": 0,
        "MEMLOCK": 0,
        "MSGQUEUE": 0,
    }


def _silence_stderr() -> None:
    null = os.open("/dev/null", os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


def _read_all(descriptor: int) -> bytes:
    """The whole of a memory file, whatever its position."""
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
