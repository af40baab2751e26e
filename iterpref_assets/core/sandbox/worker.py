"""One fork server as seen from outside: start it, hand it programs, read what they report."""

from __future__ import annotations

import fcntl
import json
import math
import os
import select
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from iterpref_assets.core.errors import SandboxError, SandboxUnavailableError
from iterpref_assets.core.sandbox.allowance import require_allowed
from iterpref_assets.core.sandbox.bubblewrap import REMEDY
from iterpref_assets.core.sandbox.folder import ServerFolder
from iterpref_assets.core.sandbox.inside.child import BROKEN
from iterpref_assets.core.sandbox.launch import Granted
from iterpref_assets.core.sandbox.verdicts import Limits

_START_SECONDS = 600.0
"""Ends what hangs. A server that dies is seen at once; beside much other work it starts slowly."""

_GRACE_SECONDS = 30
"""How much longer than the wall-clock limit a server may be silent before it is given up."""

_CHUNK = 1 << 16
_PIPE_BYTES = 1 << 20
"""Room for results under way, so that a program and its reader seldom wait for each other."""
_HEADER = struct.Struct("<cI")
"""Of a frame: its kind, and the bytes of its payload."""
_FRAME_SLACK = 1 << 16


class IsolationBackend(Protocol):
    """A way to start a fork server apart from everything else.

    `signals` tells whether programs' signals are confined to their own processes.
    """

    @property
    def signals(self) -> bool:
        """Whether programs may send signals."""
        ...

    def settings(self, granted: Granted, folder: Path) -> dict[str, Any]:
        """What the server is told about its isolation."""
        ...

    def start(
        self, control: socket.socket, granted: Granted, folder: Path, errors: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start the server."""
        ...


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What every server of a pool is started with."""

    backend: IsolationBackend
    preload: tuple[str, ...]
    granted: Granted
    seccomp: bytes
    opening: str = ""
    tmpfs_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Status:
    """How a program's process ended.

    `killed` is "", "cpu", "wall", "idle", "memory" or "abort"; `code` is the exit code, or minus
    the signal that ended it.
    """

    code: int
    cpu_seconds: float
    killed: str


class WorkerLostError(SandboxError):
    """The server itself is gone."""


class Worker:
    """A fork server that starts at once and is waited for later. Used by one thread at a time."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.serial = 0
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        self.folder = ServerFolder()
        folder = self.folder.path
        try:
            with theirs:
                isolation = settings.backend.settings(settings.granted, folder)
                self.process = settings.backend.start(theirs, settings.granted, folder, self.errors)
        except BaseException:
            self._let_go()
            raise
        message = {
            **isolation,
            "preload": settings.preload,
            "filter": settings.seccomp.hex(),
            "opening": settings.opening,
            "tmpfs_bytes": settings.tmpfs_bytes,
        }
        # Of a server that is dead already, `await_ready` says why.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.control.send(json.dumps(message).encode())
        self._ready = False

    def await_ready(self) -> None:
        """Wait until the server has loaded what it preloads.

        Raises:
            SandboxUnavailableError: if it cannot be had.
        """
        if self._ready:
            return
        try:
            self.control.settimeout(_START_SECONDS)
            self._ready = bool(json.loads(self.control.recv(_CHUNK)))
        except (OSError, ValueError) as error:
            complaint = self.complaint() or str(error)
            self.close()
            raise SandboxUnavailableError(
                f"the sandbox does not start: {complaint}", remedy=REMEDY
            ) from error

    def complained(self) -> int:
        """How many bytes the server has written to its stderr; programs have none."""
        return os.fstat(self.errors.fileno()).st_size

    def complaint(self) -> str:
        """The last line that the server wrote to its stderr."""
        if self.errors.closed:
            return "it was closed"
        size = self.complained()
        said = os.pread(self.errors.fileno(), _CHUNK, max(0, size - _CHUNK))
        return said.decode(errors="replace").strip().rpartition("\n")[2]

    def lost(self) -> WorkerLostError:
        """The error that says how the server died."""
        return WorkerLostError(f"the sandbox failed: {self.complaint()}")

    def start(
        self,
        request: dict[str, Any],
        files: list[int],
        limits: Limits,
        *,
        stdout: bool = False,
        nonce: bytes = b"",
    ) -> Running:
        """Have the server run a program.

        Args:
            request: what kind of run it is.
            files: descriptors of its source and of its calls, tests or standard input.
            limits: what it may use.
            stdout: whether to read what it prints.
            nonce: what its test runner must send back, if it is one.

        Raises:
            WorkerLostError: if the server is gone.
            SandboxUnavailableError: if this process may not grant so much.
        """
        require_allowed(limits)
        self.serial += 1
        results, results_in = os.pipe()
        with suppress(PermissionError):  # an unprivileged user may hold only so many large pipes
            fcntl.fcntl(results, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        output, output_in = os.pipe() if stdout else (-1, -1)
        given = [
            results_in,
            *([output_in] if stdout else []),
            *([_filled_pipe(nonce)] if nonce else []),
        ]
        message = {**request, "run": self.serial, **asdict(limits)}
        running = Running(self, results, output, limits)
        try:
            socket.send_fds(self.control, [json.dumps(message).encode()], [*files, *given])
        except OSError as error:
            running.close()
            raise self.lost() from error
        finally:
            for descriptor in given:
                os.close(descriptor)
        return running

    def close(self) -> None:
        """End the server and everything in its namespaces."""
        self.control.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._let_go()

    def _let_go(self) -> None:
        self.control.close()
        self.errors.close()
        self.folder.remove()


class Running:
    """A program under way. `finish` must be called, whatever happens before it."""

    def __init__(self, worker: Worker, results: int, output: int, limits: Limits) -> None:
        self.worker, self.limits = worker, limits
        self.results, self.stdout = results, output
        self.serial = worker.serial
        self.output = bytearray()
        self.refusal = ""
        self._complained = worker.complained()

    def frames(self) -> Iterator[tuple[bytes, bytes]]:
        """What the program reports, as it comes: kind and payload of each frame.

        A frame longer than any honest one, or an output over its limit, ends the run.

        Raises:
            WorkerLostError: if the server falls silent.
        """
        buffer = bytearray()
        for descriptor, chunk in self._chunks():
            if descriptor == self.stdout:
                self.output += chunk
                if len(self.output) > self.limits.output_bytes:
                    self.refusal = f"printed more than {self.limits.output_bytes:,} bytes"
            else:
                buffer += chunk
                yield from self._complete(buffer)
            if self.refusal:
                self.stop()
                return

    def _chunks(self) -> Iterator[tuple[int, bytes]]:
        """What comes out of each pipe, to its end or that of the program.

        Once the server has said how the program ended, nothing of it writes any more: what lies in
        the pipes is all there is, whoever may hold them open.
        """
        poller = select.poll()
        control = self.worker.control.fileno()
        pipes = {each for each in (self.results, self.stdout) if each >= 0}
        for descriptor in (*pipes, control):
            poller.register(descriptor, select.POLLIN)
        ended = False
        while pipes:
            events = poller.poll(0) if ended else self._await(poller)
            if not events:
                return
            for descriptor, _ in events:
                if descriptor == control:
                    ended = True
                    poller.unregister(control)
                elif chunk := os.read(descriptor, _PIPE_BYTES):
                    yield descriptor, chunk
                else:
                    poller.unregister(descriptor)
                    pipes.discard(descriptor)

    def _await(self, poller: select.poll) -> list[tuple[int, int]]:
        """What has come, once something has.

        Seconds are counted one by one: where this process was stopped, as by Ctrl-Z, its own time
        is not taken for the server's silence.

        Raises:
            WorkerLostError: if the server stays silent.
        """
        for _ in range(math.ceil(self.limits.wall_seconds + _GRACE_SECONDS)):
            if events := poller.poll(1000):
                return events
        raise WorkerLostError("the fork server fell silent")

    def _complete(self, buffer: bytearray) -> Iterator[tuple[bytes, bytes]]:
        start, longest = 0, self.limits.result_bytes + _FRAME_SLACK
        with memoryview(buffer) as data:
            while len(data) - start >= _HEADER.size:
                kind, length = _HEADER.unpack_from(data, start)
                end = start + _HEADER.size + length
                if length > longest:
                    self.refusal = "sent a report longer than any result may be"
                if self.refusal or end > len(data):
                    break
                yield kind, data[start + _HEADER.size : end].tobytes()
                start = end
        del buffer[:start]

    def refuse(self, what: str) -> None:
        """Have the program killed for what it sends."""
        self.refusal = what
        self.stop()

    def stop(self) -> None:
        """Have the program killed; to no effect if it has ended."""
        try:
            self.worker.control.send(json.dumps({"abort": self.serial}).encode())
        except OSError as error:
            raise self.worker.lost() from error

    def finish(self) -> Status:
        """Wait for the end of the program and all it started.

        Raises:
            WorkerLostError: if the server is gone, falls silent, or could not confine the program.
        """
        self.close()
        poller = select.poll()
        poller.register(self.worker.control, select.POLLIN)
        self._await(poller)
        try:
            message = self.worker.control.recv(_CHUNK)
        except OSError as error:
            raise self.worker.lost() from error
        if not message:
            raise self.worker.lost()
        status = json.loads(message)
        if status["code"] == BROKEN and self.worker.complained() > self._complained:
            raise self.worker.lost()
        return Status(code=status["code"], cpu_seconds=status["cpu"], killed=status["killed"])

    def close(self) -> None:
        """Let go of the descriptors."""
        for descriptor in (self.results, self.stdout):
            if descriptor >= 0:
                os.close(descriptor)
        self.results = self.stdout = -1


def _filled_pipe(content: bytes) -> int:
    """The reading end of a pipe that holds `content` and nothing after it."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return reading
