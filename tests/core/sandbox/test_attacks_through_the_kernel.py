"""What programs share because the kernel is one: sockets, pipes and devices."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from iterpref_assets.core.sandbox.sandbox import Sandbox

from .conftest import descendants

DEVICES = ("null", "zero", "full", "random", "urandom")


def error_number(call: str) -> str:
    """The body of a function that makes `call` and returns the error number."""
    return (
        "import ctypes, errno, fcntl, os, socket\n"
        f"try: {call}\nexcept OSError as error: return error.errno"
    )


@pytest.mark.parametrize("call", ["sendmsg", "sendmmsg"])
def test_a_pair_of_sockets_sends_no_descriptors(look: Any, call: str) -> None:
    number = {"sendmsg": "libc.sendmsg(1, None, 0)", "sendmmsg": "libc.sendmmsg(1, None, 0, 0)"}
    body = f"import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n{number[call]}\n"
    assert look(f"{body}return ctypes.get_errno()") == errno.ENOSYS


@pytest.mark.parametrize("family", [2, 16, 30, 31], ids=["INET", "NETLINK", "TIPC", "BLUETOOTH"])
def test_pairs_of_another_family_do_not_reach_the_kernel(look: Any, family: int) -> None:
    assert look(error_number(f"socket.socketpair({family})")) == errno.ENOSYS


def test_a_pair_of_unix_sockets_can_be_had(look: Any) -> None:
    body = "import socket\na, b = socket.socketpair()\na.send(b'x')\nreturn b.recv(9)"
    assert look(body) == b"x"


def test_a_pipe_cannot_be_made_to_hold_more(look: Any) -> None:
    call = "fcntl.fcntl(os.pipe()[0], fcntl.F_SETPIPE_SZ, 1 << 20)"
    assert look(error_number(call)) == errno.ENOSYS


@pytest.mark.parametrize("name", DEVICES)
def test_the_times_of_a_device_cannot_be_set(look: Any, name: str) -> None:
    device = Path("/dev") / name
    before = device.stat().st_mtime_ns
    assert look(f"import os\nos.utime('{device}')") == "OSError"
    assert device.stat().st_mtime_ns == before


def test_devices_can_be_read_and_written(look: Any) -> None:
    body = """
with open("/dev/null", "w") as file: file.write("x")
sizes = []
for name in ("null", "zero", "full", "random", "urandom"):
    with open("/dev/" + name, "rb", 0) as file: sizes.append(len(file.read(4)))
return sizes
"""
    assert look(body) == [0, 4, 4, 4, 4]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers have uids of their own")
def test_no_two_servers_have_the_same_uid() -> None:
    before = descendants(os.getpid())
    with Sandbox(workers=3) as sandbox:
        for worker in sandbox._workers:
            worker.await_ready()
        maps = {
            (Path("/proc") / str(pid) / "uid_map").read_text().split()[4]
            for pid in descendants(os.getpid()) - before
        }
    assert len(maps) == 3
