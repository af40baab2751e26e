"""Reading what a program reports: bounded, and never more than a claim about values."""

from __future__ import annotations

import hmac
import marshal
import signal

from iterpref_assets.core.sandbox.inside import program
from iterpref_assets.core.sandbox.inside.encoding import DIGEST, FORMAT, MAX_DEPTH, TREE, VALUE
from iterpref_assets.core.sandbox.outcomes import (
    CallOutcome,
    CallRun,
    Raised,
    StopAfter,
    TestOutcome,
)
from iterpref_assets.core.sandbox.values import Encoded, MalformedValueError
from iterpref_assets.core.sandbox.verdicts import Verdict
from iterpref_assets.core.sandbox.worker import Running, Status

_MAX_ERROR_BYTES = 1 << 16
"""Far more than an honest report of an exception or of tests takes; more is not even read."""

_MAX_NAME = 200
_NUMBER_BYTES = 4
_NONSENSE = Raised("", "", 0)
MAX_STRAY = 100
"""So many frames that an honest program does not send are passed over; reading takes time here."""

_MAX_KEPT_BYTES = 1 << 30
"""The most that one program's results may take up here."""

STRAY = "sent reports that nobody asked for"
_TOO_MANY = "sent more results than there were calls"
_TOO_MUCH = "returned more than can be kept"
_TOO_DEEP = f"returned a value nested more than {MAX_DEPTH} levels deep"
_MEANINGLESS = "sent a report that means nothing"
"""What a program is refused for, as the rest of a sentence about it."""


def read_calls(
    running: Running, run: CallRun, calls: int, stop: StopAfter | None, keep: bool
) -> Verdict | None:
    """Read outcomes until the program ends or `stop` has seen enough.

    Returns REFUSED if the program reports more than was asked of it.
    """
    number = kept = loaded = 0
    for kind, payload in running.frames():
        if kind == program.LOADED and loaded <= MAX_STRAY:
            loaded += 1
            continue
        if kind == program.NOT_LOADED:
            run.not_loaded = read_error(payload)
            return None
        if kind == program.NO_FUNCTION:
            run.no_function = True
            return None
        if kind == program.OVERDUE:
            return Verdict.TIMEOUT
        kept += len(payload) if keep else 0
        if loaded > MAX_STRAY or number == calls or kept > _MAX_KEPT_BYTES:
            running.refuse(_too_much(loaded, calls - number))
            return Verdict.REFUSED
        outcome = _outcome(kind, payload)
        if keep:
            run.outcomes.append(outcome)
        if stop is not None and stop(number, outcome):
            run.stopped = True
            running.stop()
            return None
        number += 1
    return None


def _too_much(loaded: int, calls_left: int) -> str:
    """What the program did too often or too long."""
    if loaded > MAX_STRAY:
        return STRAY
    return _TOO_MANY if calls_left == 0 else _TOO_MUCH


def _outcome(kind: bytes, payload: bytes) -> CallOutcome:
    if kind in (VALUE, TREE, DIGEST):
        return CallOutcome(result=Encoded(kind, payload))
    if kind == program.RAISED:
        return CallOutcome(raised=read_error(payload))
    return CallOutcome(refused=_TOO_DEEP if kind == program.REFUSED else _MEANINGLESS)


def read_error(payload: bytes) -> Raised:
    """An exception, without name and message where the report makes no sense."""
    if len(payload) > _MAX_ERROR_BYTES:
        return _NONSENSE
    try:
        name, message, line, kinds = Encoded(VALUE, payload).decode()
        return Raised(_line(name), _text(message), int(line), tuple(map(_line, kinds)))
    except (MalformedValueError, TypeError, ValueError, OverflowError):
        return _NONSENSE


def _line(value: object) -> str:
    """The short line that a name is, whatever the program made of it."""
    return " ".join(_text(value).split())[:_MAX_NAME]


def _text(value: object) -> str:
    """As text that tables and files can hold: `?` for each half of a surrogate pair."""
    return str(value).encode(errors="replace").decode()


def read_check(kind: bytes, payload: bytes, tests: int, checks: int) -> tuple[int, int] | None:
    """The place of a test and the number of a check that ran in it, of so many `checks`.

    What ran outside the `tests` has the place after them. None where the frame tells of neither.
    """
    if kind != program.CHECK or len(payload) != 2 * _NUMBER_BYTES:
        return None
    place = int.from_bytes(payload[:_NUMBER_BYTES], "little")
    number = int.from_bytes(payload[_NUMBER_BYTES:], "little")
    return (place, number) if place <= tests and number < checks else None


def read_test_outcome(payload: bytes, nonce: bytes) -> TestOutcome | None:
    """The outcome of a test file, if it bears the nonce; otherwise it is not even read."""
    start = marshal.dumps((nonce, *[None] * 6), FORMAT)[:-6]
    if not hmac.compare_digest(payload[: len(start)], start) or len(payload) > _MAX_ERROR_BYTES:
        return None
    try:
        _, kind, test, error_type, message, line, tests_passed = Encoded(VALUE, payload).decode()
        return TestOutcome(
            _line(kind),
            _line(test),
            _line(error_type),
            _text(message),
            int(line),
            int(tests_passed),
        )
    except (MalformedValueError, TypeError, ValueError, OverflowError):
        return None


def read_ending(status: Status, refusal: str) -> Verdict | None:
    """The limit the program ran into or how its process died, or None where it ended well."""
    if status.killed in ("cpu", "wall", "idle") or status.code == -signal.SIGXCPU:
        return Verdict.TIMEOUT
    if status.killed == "memory":
        return Verdict.MEMORY
    if refusal:
        return Verdict.REFUSED
    return Verdict.CRASHED if status.code != 0 else None
