"""Starting the fork server in namespaces of its own, with bubblewrap.

The server gets new user, mount, PID, network, IPC, UTS and cgroup namespaces; a root that holds
the Python installation and the system's libraries, read-only, and nothing else of this machine; and
CAP_SYS_ADMIN within its own user namespace, which it needs for a PID namespace and clean
directories per program and which no program inherits.

Run by root, programs get a uid of their own that owns nothing on this machine, because the kernel
exempts root from the limit on processes. Run by anyone else, programs keep that user's uid, within
namespaces from which nothing of the user's can be seen.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from iterpref_assets.core.errors import SandboxUnavailableError
from iterpref_assets.core.sandbox.launch import (
    Granted,
    boot_command,
    system_files,
)

REMEDY = (
    "Install bubblewrap (Debian: apt install bubblewrap) and allow user namespaces, "
    "or run in an isolated container (docs/SANDBOX.md)"
)

PROGRAM_UID = 1
_UNUSED_UIDS = 1_900_000_001
"""Where uids begin that are outside every range that systems hand out by default."""

_RUNNER = "/runner"
PACKAGES = "/packages"
_DEVICES = ("null", "zero", "full", "random", "urandom")
STDIN_COPY = "/dev/shm/stdin"  # noqa: S108 - a path inside
"""Where a script finds its standard input by name, as it would through `/proc`."""

_UNSHARE_CODE = """
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):
    sys.exit(os.strerror(ctypes.get_errno()))
print(flush=True)
sys.stdin.read()
"""


def program_uid() -> int:
    """The uid that programs run under, as seen inside."""
    return PROGRAM_UID if os.geteuid() == 0 else 0


class Bubblewrap:
    """The back end for a host that lets this user have namespaces."""

    signals = True

    def settings(self, granted: Granted, folder: Path) -> dict[str, Any]:  # noqa: ARG002
        """What the server is told."""
        return {
            "container": False,
            "path": [PACKAGES],
            "uid": program_uid(),
            "directories": _directories(),
            "devices": [f"/dev/{name}" for name in _DEVICES],
            "stdin": STDIN_COPY,
        }

    def start(
        self,
        control: socket.socket,
        granted: Granted,
        folder: Path,  # noqa: ARG002 - all its folders are inside
        errors: IO[bytes],
    ) -> subprocess.Popen[bytes]:
        """Start the fork server with `control` as its descriptor 0, its complaints in `errors`.

        Raises:
            SandboxUnavailableError: if bubblewrap is missing.
        """
        bwrap = shutil.which("bwrap")
        if bwrap is None:
            raise SandboxUnavailableError("bubblewrap is not installed", remedy=REMEDY)
        namespace = _user_namespace() if os.geteuid() == 0 else None
        user = ["--unshare-user", "--uid", "0", "--gid", "0"]
        if namespace is not None:
            user = ["--userns", str(namespace)]
        command = [bwrap, *user, *_isolation(granted), *_files(granted), "--remount-ro", "/"]
        try:
            return subprocess.Popen(
                [*command, *boot_command(_RUNNER)],
                stdin=control.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env={},
                pass_fds=() if namespace is None else (namespace,),
            )
        finally:
            if namespace is not None:
                os.close(namespace)


def _isolation(granted: Granted) -> list[str]:
    unshare = ["pid", "net", "ipc", "uts", "cgroup-try"]
    capabilities = ["CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_KILL"]
    arguments = [f"--unshare-{kind}" for kind in unshare]
    arguments += ["--hostname", "sandbox", "--new-session", "--cap-drop", "ALL"]
    for capability in capabilities:
        arguments += ["--cap-add", capability]
    for name, value in granted.environment.items():
        arguments += ["--setenv", name, value]
    return arguments


def _files(granted: Granted) -> list[str]:
    prefix = Path(sys.base_prefix)
    arguments = _folders(*reversed(prefix.parents), "/usr", "/usr/share", "/etc", PACKAGES, _RUNNER)
    for name in ("/lib", "/lib64", "/lib32", "/bin"):
        path = Path(name)
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), name]
        elif path.is_dir() and name != "/bin":
            arguments += ["--ro-bind", name, name]
    shared = ("/usr/share/zoneinfo", "/etc/ld.so.cache", *granted.command_files)
    for name in [*system_files(), *shared]:
        arguments += ["--ro-bind-try", name, name]
    for source in granted.importable:
        arguments += ["--ro-bind", str(source), f"{PACKAGES}/{source.name}"]
    inside = Path(__file__).parent / "inside"
    arguments += ["--ro-bind", str(inside), f"{_RUNNER}/inside", "--proc", "/proc"]
    arguments += _folders("/dev", *_directories())
    for name in _DEVICES:
        arguments += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    return [*arguments, "--symlink", STDIN_COPY, "/dev/stdin", "--chdir", "/box"]


def _directories() -> list[str]:
    """Where programs may write; `/tmp` not where Python itself lies below it."""
    hidden = Path("/tmp") in Path(sys.base_prefix).parents  # noqa: S108 - paths inside
    return ["/box", "/dev/shm", *([] if hidden else ["/tmp"])]  # noqa: S108


def _folders(*paths: str | Path) -> list[str]:
    """Empty folders that programs may look into, where bubblewrap's own would be closed to them."""
    arguments: list[str] = []
    for path in map(str, paths):
        if path != "/":
            arguments += ["--perms", "0755", "--dir", path]
    return arguments


def _user_namespace() -> int:
    """A descriptor of a user namespace that maps root and one uid which owns nothing.

    The uid is no other server's, because the kernel counts pages in pipes, and more, by uid.

    Raises:
        SandboxUnavailableError: if the kernel refuses.
    """
    holder = subprocess.Popen(
        [sys.executable, "-S", "-c", _UNSHARE_CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None  # noqa: S101 - a pipe was asked for
        assert holder.stderr is not None  # noqa: S101
        if not holder.stdout.read(1):
            raise SandboxUnavailableError(
                f"user namespaces cannot be had: {holder.stderr.read().decode().strip()}",
                remedy=REMEDY,
            )
        mapping = f"0 0 1\n{PROGRAM_UID} {_UNUSED_UIDS + holder.pid} 1\n"
        folder = Path("/proc") / str(holder.pid)
        (folder / "uid_map").write_text(mapping)
        (folder / "gid_map").write_text(mapping)
        return os.open(folder / "ns" / "user", os.O_RDONLY)
