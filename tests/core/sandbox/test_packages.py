import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits, Verdict

pytestmark = pytest.mark.sandbox


def imports(name: str) -> str:
    return f"def f():\n    import {name}\n    return {name}.__name__"


def test_a_program_may_import_what_it_was_granted(sandbox):
    (outcome,) = sandbox.run_calls(imports("numpy"), "f", [()]).outcomes
    assert outcome.value() == "numpy"


@pytest.mark.parametrize("name", ["numpy", "pip", "setuptools", "polars"])
def test_a_program_may_import_nothing_else_that_is_installed(name):
    with Sandbox(1) as sandbox:
        (outcome,) = sandbox.run_calls(imports(name), "f", [()]).outcomes
    assert outcome.raised.error_type == "ModuleNotFoundError"


def test_a_script_can_end_itself_with_exit(sandbox):
    assert sandbox.run_program("print(1)\nexit()\nprint(2)", "").stdout == b"1\n"


def test_tests_that_mock_open_are_not_taken_for_tampering(sandbox):
    tests = CodeTests(
        code=(
            "import unittest\n"
            "from unittest.mock import mock_open, patch\n"
            "class TestRead(unittest.TestCase):\n"
            "    def test_read(self):\n"
            "        with patch('builtins.open', mock_open(read_data='x')):\n"
            "            self.assertEqual(read(), 'x')\n"
        ),
        shared_namespace=True,
    )
    code = "def read():\n    with open('file') as stream:\n        return stream.read()"
    assert sandbox.judge(code, tests).verdict is Verdict.PASSED


def test_files_can_be_copied_with_their_metadata(sandbox):
    script = (
        "import shutil\nopen('a', 'w').write('x')\nshutil.copy2('a', 'b')\nprint(open('b').read())"
    )
    assert sandbox.run_program(script, "").stdout == b"x\n"


def test_a_program_may_import_what_lies_in_a_folder_of_libraries(tmp_path):
    (tmp_path / "mine.py").write_text("")
    with Sandbox(1, libraries=tmp_path) as sandbox:
        (outcome,) = sandbox.run_calls(imports("mine"), "f", [()]).outcomes
    assert outcome.value() == "mine"


def test_a_missing_folder_of_libraries_is_named(tmp_path):
    with pytest.raises(InputError, match="no such folder of libraries"):
        Sandbox(1, libraries=tmp_path / "absent")


@pytest.mark.parametrize(("commands", "error_type"), [(True, None), (False, "FileNotFoundError")])
def test_the_systems_commands_run_only_where_they_are_granted(commands, error_type):
    code = "import subprocess\ndef f(): return subprocess.check_output(['sh', '-c', 'echo 1'])"
    with Sandbox(1, commands=commands) as sandbox:
        (outcome,) = sandbox.run_calls(code, "f", [()], Limits(processes=32)).outcomes
    raised = outcome.raised
    assert (raised.error_type if raised else None) == error_type


def test_commands_have_no_network_and_see_no_process_and_no_file_of_this_machine(tmp_path):
    (tmp_path / "secret").write_text("x")
    code = (
        "import subprocess\n"
        "def f(command):\n"
        "    done = subprocess.run(['sh', '-c', command], capture_output=True)\n"
        "    return done.returncode == 0, done.stdout\n"
    )
    attempts = [f"cat {tmp_path}/secret", "ls /proc/1", "ls /root /home", "echo x > /usr/bin/x"]
    with Sandbox(1, commands=True) as sandbox:
        run = sandbox.run_calls(code, "f", [(each,) for each in attempts], Limits(processes=32))
    assert [outcome.value()[0] for outcome in run.outcomes] == [False] * 4


def test_what_a_program_leaves_below_tmp_is_gone_for_the_next(sandbox, namespaces):
    write = "def f():\n    open('/tmp/left', 'w').write('x')\n    return 1"
    look = "import os\ndef f(): return os.listdir('/tmp')"
    assert sandbox.run_calls(write, "f", [()]).outcomes[0].value() == 1
    assert sandbox.run_calls(look, "f", [()]).outcomes[0].value() == []


def test_a_program_draws_the_same_random_numbers_each_time():
    code = "import numpy, random\ndef f(): return random.random(), float(numpy.random.rand())"
    with Sandbox(1, preload=("numpy.random",), packages=("numpy",)) as sandbox:
        drawn = [sandbox.run_calls(code, "f", [()]).outcomes[0].value() for _ in range(2)]
    assert drawn[0] == drawn[1]


def test_test_classes_that_import_and_extend_their_base_are_not_taken_for_tampering(sandbox):
    tests = CodeTests(
        code=(
            "import unittest\n"
            "from unittest import TestCase\n"
            "class TestOne(unittest.TestCase):\n"
            "    @classmethod\n"
            "    def setUpClass(cls): cls.one = 1\n"
            "    @staticmethod\n"
            "    def wanted(): return 1\n"
            "    def test_one(self): self.assertEqual(one(), self.one * self.wanted())\n"
        ),
        shared_namespace=True,
    )
    assert sandbox.judge("def one(): return 1", tests).verdict is Verdict.PASSED
