import pytest

from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Verdict

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
    assert outcome.error_type == "ModuleNotFoundError"


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
