"""What a program sends instead of results never makes the judging process fail or toil."""

import platform

import pytest

from iterpref_assets.core.records import Case, FunctionTests, StdioCase, StdioTests, Tests
from iterpref_assets.core.sandbox.verdicts import Verdict

from .conftest import SQUARE, SQUARE_TEST_FILE, SQUARES, Attack

SCRIPT = StdioTests(cases=(StdioCase(stdin="", stdout="x"),))

FRAME = """
import marshal, os
def send(kind, value):
    data = marshal.dumps(value, 2)
    os.write(3, kind + len(data).to_bytes(4, "little") + data)
def square(x):
    send({kind!r}, {value})
    os._exit(0)
"""
WRONG, RAISED = Verdict.WRONG_ANSWER, Verdict.EXCEPTION
MALFORMED = {
    "a tree of an unknown kind": (b"X", '("zzz", [])', WRONG),
    "a tree that is no list": (b"X", "{}", WRONG),
    "a digest of infinite size": (b"D", '("x", float("inf"), "y")', WRONG),
    "a digest of a size with 5,000 digits": (b"D", '("x", 10**5000, "y")', WRONG),
    "an exception named by a number of 5,000 digits": (b"E", '(10**5000, "")', RAISED),
    "a reason not to load with 5,000 digits": (b"L", '(10**5000, "")', RAISED),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_frame_passes_nothing_and_breaks_nothing(attack: Attack, name: str) -> None:
    kind, value, verdict = MALFORMED[name]
    code = FRAME.replace("{kind!r}", repr(kind)).replace("{value}", value)
    assert attack(code).verdict is verdict


def test_an_exceptions_name_is_one_short_line(attack: Attack) -> None:
    code = "def square(x):\n    raise type('A\\nB' + 'c' * 1000, (Exception,), {})('no')\n"
    assert attack(code).error_type == "A B" + "c" * 197


def test_a_message_can_be_stored(attack: Attack) -> None:
    code = "def square(x):\n    raise ValueError('\\ud800')\n"
    assert attack(code).message.encode()


@pytest.mark.parametrize("tests", [SQUARES, SCRIPT], ids=["calls", "script"])
def test_endless_frames_are_refused(attack: Attack, tests: Tests) -> None:
    code = "import os\nwhile True:\n    os.write(3, b'R\\0\\0\\0\\0' * 1000)\n"
    assert attack(code, tests).verdict is Verdict.REFUSED


def test_endless_frames_beside_a_test_file_are_refused(attack: Attack) -> None:
    code = (
        "import os, stat\n"
        "for d in range(4, 64):\n"
        "    try:\n"
        "        while stat.S_ISFIFO(os.fstat(d).st_mode):\n"
        "            os.write(d, b'R\\0\\0\\0\\0' * 1000)\n"
        "    except OSError: pass\n" + SQUARE
    )
    assert attack(code, SQUARE_TEST_FILE).verdict is Verdict.REFUSED


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are x86-64's")
@pytest.mark.parametrize("call", ["inotify_init", "setsockopt"])
def test_what_takes_memory_of_the_host_does_not_exist(attack: Attack, call: str) -> None:
    number = {"inotify_init": 253, "setsockopt": 54}[call]
    code = (
        "import ctypes, errno\nlibc = ctypes.CDLL(None, use_errno=True)\ndef f():\n"
        f"    return libc.syscall({number}, 0, 0, 0, 0, 0) == -1 and ctypes.get_errno()\n"
    )
    tests = FunctionTests(entry_point="f", cases=(Case(arguments="()", expected="38"),))
    assert attack(code, tests).verdict is Verdict.PASSED


def test_a_pair_of_sockets_reaches_no_address(attack: Attack) -> None:
    code = (
        "import errno, socket\ndef f():\n    try:\n"
        "        socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "    except OSError as error:\n        return error.errno\n"
    )
    tests = FunctionTests(entry_point="f", cases=(Case(arguments="()", expected="38"),))
    assert attack(code, tests).verdict is Verdict.PASSED
