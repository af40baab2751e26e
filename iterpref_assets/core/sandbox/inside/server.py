"""The fork server: one process inside the isolation that starts every program as a fresh fork.

It runs the project's own text that programs begin with, once, where one is given. It never runs or
reads a program's code, arguments or results: those pass through descriptors that
it hands to the child. Of the pipes for results and output it keeps the writing ends while the child
lives, to see whether they are read.

Control messages are JSON datagrams on descriptor 0: `{"run": serial, ...}`, with the descriptors of
the source, of the calls, tests or standard input, of the pipe for results and, where there is one,
of the pipe for output or the nonce; and `{"abort": serial}` in; one status per run out.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
import time
from importlib import import_module
from types import ModuleType
from typing import Any

from . import kernel, program
from .child import become_program
from .isolation import Container, Isolation, Namespaces
from .watching import Quiet

_POLL_SECONDS = 0.1
_LONGEST_STEP = 1.0
"""Seconds: what lies longer between two looks at a program is time in which this process stood
still, and most likely the program too."""
_MAX_MESSAGE = 1 << 20
_TEST_RUNNER = f"{__package__}.testing"
_TESTS = ("tests", "proxied")
"""The kinds of runs whose processes hold a test file."""


class Server:
    """Runs programs one at a time for whoever holds the other end of `control`."""

    def __init__(self, control: socket.socket, settings: dict[str, Any]) -> None:
        self.control = control
        self.isolation: Isolation = (
            Container(settings) if settings["container"] else Namespaces(settings)
        )
        sys.path.extend(settings["path"])
        for name in settings["preload"]:
            import_module(name)
        self.opened = program.opened_module(settings["opening"])
        self.isolation.seal()
        self.filter = kernel.filter_buffer(bytes.fromhex(settings["filter"]))
        self.measure()
        self.runner_modules: dict[str, ModuleType] = {}

    def measure(self) -> None:
        """Once more is loaded: note what every program begins with and is not charged for."""
        self.address_space = self.isolation.processes.address_space(os.getpid())
        self.isolation.processes.begin_here()

    def load_test_runner(self) -> None:
        """Load unittest for the first test file, since it makes every later fork more expensive.

        Its modules are held here, so that hiding them in a child frees nothing.
        """
        before = set(sys.modules)
        import_module(_TEST_RUNNER)
        self.runner_modules = {
            name: module for name, module in sys.modules.items() if name not in before
        }
        gc.collect()
        gc.freeze()
        self.measure()

    def hide_test_runner(self) -> None:
        """In a child without tests: let `import` find what it finds on a server without them."""
        for name in self.runner_modules:
            sys.modules.pop(name, None)
            parent, _, child = name.rpartition(".")
            if parent in sys.modules:
                vars(sys.modules[parent]).pop(child, None)

    def serve(self) -> None:
        """Run what is asked for until the other end closes."""
        gc.collect()
        gc.freeze()
        self.control.send(json.dumps({"ready": os.getpid()}).encode())
        while True:
            message, descriptors, _, _ = socket.recv_fds(self.control, _MAX_MESSAGE, 4)
            if not message:
                return
            request = json.loads(message)
            if "run" not in request:
                continue
            status = self.run(request, descriptors)
            self.control.send(json.dumps(status).encode())

    def run(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """One program from fork to the death of everything it started."""
        if request["kind"] in _TESTS and _TEST_RUNNER not in sys.modules:
            self.load_test_runner()
        request["processes"] = self.isolation.allowance(request["processes"])
        request["address_space"] = request["memory_bytes"] + self.address_space
        children = (self.fork_both if request["kind"] == "proxied" else self.fork)(
            request, descriptors
        )
        reports = descriptors[2:4] if request["kind"] == "script" else descriptors[2:3]
        for descriptor in set(descriptors) - set(reports):
            os.close(descriptor)
        try:
            killed = self.watch(children[0], request, Quiet(reports))
        finally:
            for descriptor in reports:
                os.close(descriptor)
        for other in children[1:]:
            os.kill(other, signal.SIGKILL)
        ends = [self.isolation.reap(child) for child in children]
        self.isolation.clean()
        code = os.waitstatus_to_exitcode(ends[0][0])
        cpu = sum(seconds for _, seconds in ends)
        if not killed and cpu > request["cpu_seconds"]:
            killed = "cpu"
        return {"serial": request["run"], "code": code, "cpu": cpu, "killed": killed}

    def fork(self, request: dict[str, Any], descriptors: list[int]) -> list[int]:
        """Fork a program."""
        child = self.isolation.fork()
        if child == 0:
            if request["kind"] not in _TESTS:
                self.hide_test_runner()
            become_program(request, descriptors, self.isolation, self.filter, self.opened)
        return [child]

    def fork_both(self, request: dict[str, Any], descriptors: list[int]) -> list[int]:
        """Fork a test file and, in a process that holds nothing of it, the program it calls.

        With namespaces each is the first process of its own, so that neither can name the other.
        """
        source, *files = descriptors
        tests_end, program_end = socket.socketpair()
        with tests_end, program_end:
            asked = {**request, "kind": "solution"}
            (solution,) = self.fork(asked, [source, program_end.fileno()])
            (tests,) = self.fork(request, [*files, tests_end.fileno()])
        return [tests, solution]

    def watch(self, child: int, request: dict[str, Any], quiet: Quiet) -> str:
        """Wait for the child's end; kill it at its limits, and say at which.

        Of wall-clock time, what the program may spend waiting for its reader does not count.
        """
        waited, seen = 0.0, time.monotonic()
        child_descriptor = os.pidfd_open(child)
        poller = select.poll()
        poller.register(child_descriptor, select.POLLIN)
        poller.register(self.control, select.POLLIN)
        try:
            while True:
                ready = [descriptor for descriptor, _ in poller.poll(_POLL_SECONDS * 1000)]
                if child_descriptor in ready:
                    return ""
                now = time.monotonic()
                waited += 0.0 if quiet.behind() else min(now - seen, _LONGEST_STEP)
                seen = now
                reason = self.aborted(request["run"]) if ready else ""
                reason = reason or self.over_limits(request, waited, quiet)
                if reason:
                    os.kill(child, signal.SIGKILL)
                    return reason
        finally:
            os.close(child_descriptor)

    def aborted(self, serial: int) -> str:
        """Whether the other end wants this run stopped, or is gone."""
        message = self.control.recv(_MAX_MESSAGE)
        if not message or json.loads(message).get("abort") == serial:
            return "abort"
        return ""

    def over_limits(self, request: dict[str, Any], waited: float, quiet: Quiet) -> str:
        """Which limit the program's processes have passed together, if any."""
        use = self.isolation.processes.used()
        if use.cpu > request["cpu_seconds"]:
            return "cpu"
        if use.memory > request["memory_bytes"]:
            return "memory"
        if waited > request["wall_seconds"]:
            return "wall"
        if quiet.after(_POLL_SECONDS, use) > request["idle_seconds"]:
            return "idle"
        return ""


def main() -> None:
    """Read the settings from the control socket and serve."""
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    settings = json.loads(control.recv(_MAX_MESSAGE))
    Server(control, settings).serve()
