"""The program of a proxied test file, in a process of its own, and what stands for it there.

The tests' process sends a question (`load`, or the arguments of a call) and waits for the answer;
both are JSON of `crossing` behind their length. The program's process holds one descriptor beside
its own files, which ends there: it has no part of the tests, and no way to the verdict.
"""

from __future__ import annotations

import builtins
import os
import random
import sys
from contextlib import suppress
from typing import Any

from . import crossing, program

_LENGTH = 8
_PIECE = 1 << 20
_TEST_LIBRARIES = ("unittest", "inside")
"""Whose exceptions mean something to the runner (`unittest.case._ShouldStop` ends a test well)."""

_RETURNED, _RAISED = "returned", "raised"


class NotCarriedError(BaseException):
    """An argument is of a type that does not cross; no test expects it, whatever it expects."""


class Solution:
    """The program as its tests see it: what `call` is given goes over, and what comes back is read.

    Args:
        channel: the descriptor that leads to the program's process.
        name: what the program calls the function.
    """

    def __init__(self, channel: int, name: str) -> None:
        self.channel, self.name = channel, name
        self.random_states: Any = None

    def load(self) -> None:
        """Have the program loaded; raises what loading it raises."""
        self._ask(["load"])

    def call(self, /, *arguments: Any, **named: Any) -> Any:
        """Have the function called; returns or raises what it does.

        Raises:
            NotCarriedError: if an argument is of a type that does not cross.
        """
        given = [arguments, named]
        if foreign := crossing.has_foreign(given):
            raise NotCarriedError(f"{foreign} cannot be given to {self.name} in another process")
        states = _random_states()
        try:
            return self._ask(["call", *given, states if states != self.random_states else None])
        finally:
            self.random_states = _random_states()

    def _ask(self, question: list[Any]) -> Any:
        _send(self.channel, question)
        answer = _receive(self.channel)
        if answer is None:
            os._exit(0)  # as where a program ends the process that it shares with its tests
        kind, drew, *parts = answer
        if drew:
            _draw()
        if kind == _RETURNED:
            return parts[0]
        raise _error(*parts)


def serve(source: str, channel: int, name: str) -> None:
    """In the program's process: load it, then answer calls until the other end closes."""
    function: Any = None
    while (question := _receive(channel)) is not None:
        before: Any = None
        try:
            if question[0] == "load":
                function, value = _load(source, name), None
            else:
                _, arguments, named, states = question
                if states is not None:
                    _set_random_states(states)
                before = _random_states()
                value = function(*arguments, **named)
            data = crossing.dumps([_RETURNED, _drew(before), value])
        except BaseException as error:  # noqa: BLE001 - SystemExit too is an answer
            data = crossing.dumps([_RAISED, _drew(before), *_described(error, source)])
        _write(channel, data)


def _load(source: str, name: str) -> Any:
    """The program's function.

    Raises:
        NameError: if it defines none, which a call of None would tell as a TypeError.
    """
    function = program.load(source, "solution").__dict__.get(name)
    if not callable(function):
        raise NameError(f"the program does not define {name}")  # noqa: TRY004 - as `judge_calls`
    return function


def _drew(before: Any) -> bool:
    """Whether a call has moved the generators, of which it found these states."""
    return before is not None and _random_states() != before


def _described(error: BaseException, source: str) -> list[Any]:
    """Its classes by module and name, nearest first; its message, arguments, and line."""
    kinds = [(kind.__module__, kind.__qualname__) for kind in type(error).__mro__]
    number, lines = program.line_of(error), source.split("\n")
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - the candidate's __str__ may do anything
        text = ""
    arguments = [text] if crossing.has_foreign(error.args) else list(error.args)
    return [kinds, text, arguments, f"in line {number}: {line}" if line else ""]


def _error(kinds: list[tuple[str, str]], text: str, arguments: list[Any], note: str) -> Any:
    """An exception of the nearest class that is known here, which says the same."""
    name = str(kinds[0][1])
    known = [kind for each in kinds if (kind := _known(*each))]
    made = (_made(kind, name, text, arguments) for kind in [*known, Exception])
    error = next((each for each in made if each is not None), Exception(text))
    if note:
        error.add_note(note)
    return error


def _made(kind: Any, name: str, text: str, arguments: list[Any]) -> Any:
    """An exception of a class and of this name, or None where making one asks for more."""
    with suppress(Exception):
        error = kind(*arguments)
        if kind.__qualname__ == name and str(error) == text:
            return error
    with suppress(Exception):

        def said(_: Any) -> str:
            return text

        told = type(name, (kind,), {"__str__": said})
        error = told.__new__(told, *arguments)
        error.args = tuple(arguments)
        return error
    return None


def _known(module: str, name: str) -> Any:
    """A class of exceptions that this process has loaded, or None."""
    home = builtins if module == "builtins" else sys.modules.get(module)
    found = getattr(home, name, None)
    if not isinstance(found, type) or not issubclass(found, BaseException):
        return None
    homes = [each.__module__.partition(".")[0] for each in found.__mro__]
    return None if set(homes) & set(_TEST_LIBRARIES) else found


def _random_states() -> Any:
    """Where the generators that tests seed stand, those of numpy as a tuple without its array."""
    if "numpy" not in sys.modules:
        return random.getstate(), None
    name, keys, *rest = sys.modules["numpy"].random.get_state()
    return random.getstate(), (name, keys.tolist(), *rest)


def _draw() -> None:
    """Leave the generators elsewhere than a test has set them, so that it can set them again."""
    random.random()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.random()


def _set_random_states(states: Any) -> None:
    own, of_numpy = states
    random.setstate(own)
    if of_numpy is not None and "numpy" in sys.modules:
        sys.modules["numpy"].random.set_state(of_numpy)


def _send(channel: int, value: Any) -> None:
    _write(channel, crossing.dumps(value))


def _write(channel: int, data: bytes) -> None:
    left = memoryview(len(data).to_bytes(_LENGTH, "little") + data)
    try:
        while left:
            left = left[os.write(channel, left) :]
    except BrokenPipeError:
        return  # nobody reads any more, as reading will tell


def _receive(channel: int) -> Any:
    """What the other end sent, or None where it is gone.

    Raises:
        ValueError: if it sent no value.
    """
    length = _read(channel, _LENGTH)
    data = None if length is None else _read(channel, int.from_bytes(length, "little"))
    return None if data is None else crossing.loads(data)


def _read(channel: int, count: int) -> bytes | None:
    pieces: list[bytes] = []
    while count > 0:
        try:
            piece = os.read(channel, min(count, _PIECE))
        except ConnectionResetError:
            return None
        if not piece:
            return None
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)
