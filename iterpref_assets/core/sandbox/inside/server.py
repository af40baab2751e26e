"""The fork server: one process inside the isolation that starts every program as a fresh fork.

It never runs, reads or holds a program's code, arguments or results: those pass through descriptors
that it hands to the child. Each program is the first process of a PID namespace of its own, so
killing it kills all that it started.

Control messages are JSON datagrams on descriptor 0: `{"run": ..., "descriptors": ...}` and
`{"abort": serial}` in, one status per run out.
"""

from __future__ import annotations

import gc
import json
import os
import random
import select
import signal
import socket
import sys
import time
from importlib import import_module
from typing import Any

from . import kernel, usage
from .child import Confinement, become_program

WORK, SHARED_MEMORY = "/box", "/dev/shm"  # noqa: S108 - paths inside the isolation
_POLL_SECONDS = 0.1
_MAX_MESSAGE = 1 << 20


class Server:
    """Runs programs one at a time for whoever holds the other end of `control`."""

    def __init__(self, control: socket.socket, settings: dict[str, Any]) -> None:
        self.control = control
        self.tmpfs_bytes: int = settings["tmpfs_bytes"]
        sys.path.extend(settings["path"])
        for name in settings["preload"]:
            import_module(name)
        random.seed(0)
        self.processes = usage.Processes(os.open("/proc", os.O_RDONLY | os.O_DIRECTORY))
        self.own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY)
        kernel.unmount("/proc")
        for path in (WORK, SHARED_MEMORY):
            kernel.mount_tmpfs(path, self.tmpfs_bytes, 10_000)
        self.confinement = Confinement(
            uid=settings["uid"],
            filter=kernel.filter_buffer(bytes.fromhex(settings["filter"])),
            address_space=self.processes.address_space(os.getpid()),
            directory=WORK,
        )

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
        started = time.monotonic()
        kernel.unshare(kernel.CLONE_NEWPID)
        child = os.fork()
        if child == 0:
            become_program(request, descriptors, self.confinement)
        kernel.setns(self.own_namespace, kernel.CLONE_NEWPID)
        for descriptor in descriptors:
            os.close(descriptor)
        self.processes.expendable(child)
        killed = self.watch(child, request, started)
        _, status, used = os.wait4(child, 0)
        self.clean()
        code = os.waitstatus_to_exitcode(status)
        cpu = used.ru_utime + used.ru_stime
        if not killed and cpu > request["cpu_seconds"]:
            killed = "cpu"
        return {"serial": request["run"], "code": code, "cpu": cpu, "killed": killed}

    def watch(self, child: int, request: dict[str, Any], started: float) -> str:
        """Wait for the child's end; kill it at its limits, and say at which."""
        child_descriptor = os.pidfd_open(child)
        poller = select.poll()
        poller.register(child_descriptor, select.POLLIN)
        poller.register(self.control, select.POLLIN)
        try:
            while True:
                ready = [descriptor for descriptor, _ in poller.poll(_POLL_SECONDS * 1000)]
                if child_descriptor in ready:
                    return ""
                reason = self.aborted(request["run"]) if ready else ""
                reason = reason or self.over_limits(request, started)
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

    def over_limits(self, request: dict[str, Any], started: float) -> str:
        """Which limit the program's processes have passed together, if any."""
        cpu, memory = self.processes.used()
        if cpu > request["cpu_seconds"]:
            return "cpu"
        if memory > request["memory_bytes"]:
            return "memory"
        if time.monotonic() - started > request["wall_seconds"]:
            return "wall"
        return ""

    def clean(self) -> None:
        """Give the next program empty directories, whatever the last one left there."""
        for path in (WORK, SHARED_MEMORY):
            with os.scandir(path) as entries:
                dirty = next(entries, None) is not None
            if dirty:
                kernel.unmount(path)
                kernel.mount_tmpfs(path, self.tmpfs_bytes, 10_000)


def main() -> None:
    """Read the settings from the control socket and serve."""
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    settings = json.loads(control.recv(_MAX_MESSAGE))
    Server(control, settings).serve()
