"""Starting the fork server in a container that is isolated already, where bubblewrap cannot work.

Nothing is taken on trust: the container must have no network but loopback, a read-only root, no
capabilities to be had, no way to gain privileges, and run as an ordinary user; the kernel must have
Landlock 3 (Linux 6.2), since earlier ones let a program truncate files that it may not open.
Programs share the container's PID namespace and the server's uid; Landlock keeps them from every
file but the libraries and their own directory, from tracing other processes and (from its version
6) from signalling them; before that version they may send no signals at all. How much their files
may take together is for the container to bound, by the size of its `/tmp`.
"""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import IO, Any

from iterpref_assets.core.sandbox.inside import landlock
from iterpref_assets.core.sandbox.launch import (
    Granted,
    boot_command,
    system_files,
)

_LIBRARIES = ("/etc/ld.so.cache", "/usr/share/zoneinfo")
_DEVICES = ("/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def shortcomings() -> list[str]:
    """What keeps this machine from counting as an isolated container; empty if it does."""
    status = dict(
        line.split(":", 1)
        for line in Path("/proc/self/status").read_text().splitlines()
        if ":" in line
    )
    found: list[str] = []
    if os.getuid() == 0:
        found.append("it runs as root")
    if any(int(status[f"Cap{kind}"], 16) for kind in ("Prm", "Eff", "Bnd")):
        found.append("capabilities are not all dropped")
    if status["NoNewPrivs"].strip() != "1":
        found.append("privileges can be gained (no-new-privileges is off)")
    if not os.statvfs("/").f_flag & os.ST_RDONLY:
        found.append("its root is writable")
    if {name for _, name in socket.if_nameindex()} - {"lo"}:
        found.append("it has a network")
    if landlock.version() < landlock.CONFINES_TRUNCATION:
        found.append("the kernel has no Landlock of version 3 or later (Linux 6.2)")
    return found


class ContainerBackend:
    """The back end for a container that `shortcomings` finds nothing wrong with."""

    signals = landlock.version() >= landlock.SCOPES_SIGNALS

    def settings(self, granted: Granted, folder: Path) -> dict[str, Any]:
        """What the server is told; `folder` is its own on this side."""
        box, links = folder / "box", folder / "packages"
        box.mkdir()
        links.mkdir()
        for source in granted.importable:
            (links / source.name).symlink_to(source)
        importable = [str(links), *map(str, granted.importable)]
        system = [*system_files(), *granted.command_files, *_LIBRARIES, *_DEVICES]
        return {
            "container": True,
            "directory": str(box),
            "readable": [*system, *importable],
            "path": [str(links)],
        }

    def start(
        self,
        control: socket.socket,
        granted: Granted,
        folder: Path,
        errors: IO[bytes],
    ) -> subprocess.Popen[bytes]:
        """Start the fork server with `control` as its descriptor 0."""
        box = str(folder / "box")
        return subprocess.Popen(
            boot_command(Path(__file__).parent),
            stdin=control.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=errors,
            cwd=folder,
            env={**granted.environment, "HOME": box, "TMPDIR": box},
        )
