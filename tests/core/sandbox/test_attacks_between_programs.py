"""Nothing that a program leaves behind reaches the next one on the same server."""

import pytest

from iterpref_assets.core.records import Case, FunctionTests
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits, Verdict

from .conftest import SQUARE, SQUARE_TEST_FILE, Attack

ONCE = FunctionTests(entry_point="f", cases=(Case(arguments="()", expected="True"),))


@pytest.mark.parametrize("folder", ["/box", "/tmp", "/dev/shm"])
def test_an_attribute_of_a_folder_is_gone(attack: Attack, namespaces: None, folder: str) -> None:
    leave = f"import os\ndef f():\n    os.setxattr({folder!r}, 'user.k', b'v')\n    return True\n"
    look = f"import os\ndef f():\n    return os.listxattr({folder!r}) == []\n"
    attack(leave, ONCE)
    assert attack(look, ONCE).verdict is Verdict.PASSED


def test_file_numbers_start_anew(attack: Attack, namespaces: None) -> None:
    count = (
        "import os\ndef f(n):\n    for _ in range(n):\n        open('x', 'w').close()\n"
        "        number = os.stat('x').st_ino\n        os.unlink('x')\n    return number\n"
    )

    def last_number(files: int) -> str:
        case = Case(arguments=f"({files},)", expected="-1")
        return attack(count, FunctionTests(entry_point="f", cases=(case,))).message

    first = last_number(1)
    last_number(40)
    assert last_number(1) == first


def test_a_folder_that_was_closed_is_open_again(attack: Attack) -> None:
    attack("import os\ndef f():\n    os.chmod('.', 0)\n    return True\n", ONCE)
    write = "def f():\n    return open('x', 'w').write('y') == 1\n"
    assert attack(write, ONCE).verdict is Verdict.PASSED


def test_a_server_survives_folders_of_the_names_that_emptying_gives(attack: Attack) -> None:
    code = """
import os
def f():
    for number in range(1, 40): os.makedirs(f".lifted-{number}/x")
    for number in range(20): os.makedirs(f"d{number}/in/most")
    return True
"""
    assert attack(code, ONCE).verdict is Verdict.PASSED


def test_a_verdict_does_not_depend_on_test_files_before() -> None:
    unimported = "import concurrent\ndef f():\n    return bool(concurrent.futures)\n"
    with Sandbox(workers=1) as sandbox:
        before = sandbox.judge(unimported, ONCE, Limits())
        sandbox.judge(SQUARE, SQUARE_TEST_FILE, Limits())
        assert sandbox.judge(unimported, ONCE, Limits()).message == before.message


def test_a_program_may_import_unittest_after_test_files() -> None:
    program = "import unittest.mock\ndef f():\n    return unittest.mock.Mock()() is not None\n"
    with Sandbox(workers=1) as sandbox:
        sandbox.judge(SQUARE, SQUARE_TEST_FILE, Limits())
        assert sandbox.judge(program, ONCE, Limits()).verdict is Verdict.PASSED
