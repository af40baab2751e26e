"""Programs that attack the test file running beside them, and fail."""

import pytest

from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.verdicts import Verdict

from .conftest import SQUARE, SQUARE_TEST_FILE, Attack

SCRIPT = CodeTests(
    code="from solution import square\nassert square(3) == 9\nassert square(4) == 16\n"
)
BOTH = pytest.mark.parametrize("tests", [SQUARE_TEST_FILE, SCRIPT], ids=["unittest", "script"])


@BOTH
def test_right_program_passes_and_is_marked_in_process(attack: Attack, tests: CodeTests) -> None:
    execution = attack(SQUARE, tests)
    assert execution.verdict is Verdict.PASSED
    assert execution.in_process


@BOTH
def test_wrong_program_is_a_wrong_answer(attack: Attack, tests: CodeTests) -> None:
    execution = attack("def square(x): return x", tests)
    assert execution.verdict is Verdict.WRONG_ANSWER
    assert execution.in_process


@BOTH
def test_exit_on_import_fails(attack: Attack, tests: CodeTests) -> None:
    assert attack("import sys\nsys.exit(0)", tests).verdict is Verdict.EXCEPTION


@BOTH
def test_exit_in_a_call_fails(attack: Attack, tests: CodeTests) -> None:
    assert attack("import sys\ndef square(x): sys.exit(0)", tests).verdict is Verdict.EXCEPTION


@BOTH
def test_hard_exit_on_import_fails(attack: Attack, tests: CodeTests) -> None:
    assert attack("import os\nos._exit(0)", tests).verdict is Verdict.CRASHED


@BOTH
def test_hard_exit_in_a_call_fails(attack: Attack, tests: CodeTests) -> None:
    assert attack("import os\ndef square(x): os._exit(0)", tests).verdict is Verdict.CRASHED


@BOTH
def test_exit_handler_cannot_report(attack: Attack, tests: CodeTests) -> None:
    code = "import atexit, os\natexit.register(os._exit, 0)\ndef square(x): raise SystemExit"
    assert attack(code, tests).verdict is Verdict.EXCEPTION


@BOTH
def test_changed_builtins_are_refused(attack: Attack, tests: CodeTests) -> None:
    code = "import builtins\nbuiltins.AssertionError = KeyError\ndef square(x): return 0"
    assert attack(code, tests).verdict is Verdict.REFUSED


SHARED = CodeTests(
    code=(
        "import unittest\n"
        "class TestSquare(unittest.TestCase):\n"
        "    def test_three(self):\n"
        "        self.assertEqual(square(3), 9)\n"
    ),
    shared_namespace=True,
)
OWN_BUILTINS = {
    "a false unittest": (
        "import builtins, types, unittest\n"
        "class Lenient(unittest.TestCase):\n"
        "    def assertEqual(self, *a, **k): pass\n"
        "real = builtins.__import__\n"
        "false = types.SimpleNamespace(TestCase=Lenient)\n"
        "def fake(name, *a, **k):\n"
        "    return false if name == 'unittest' else real(name, *a, **k)\n"
        "__builtins__ = {**vars(builtins), '__import__': fake}\n"
        "def square(x): return 0\n"
    ),
    "emptied test methods": (
        "import builtins\n"
        "def build(body, name, *bases, **k):\n"
        "    made = builtins.__build_class__(body, name, *bases, **k)\n"
        "    if name == 'TestSquare': made.test_three = lambda self: None\n"
        "    return made\n"
        "__builtins__ = {**vars(builtins), '__build_class__': build}\n"
        "def square(x): return 0\n"
    ),
    "a module of builtins": (
        "import builtins, types\n"
        "__builtins__ = types.ModuleType('builtins')\n"
        "vars(__builtins__).update(vars(builtins))\n"
        "def square(x): return 0\n"
    ),
}


@pytest.mark.parametrize("name", OWN_BUILTINS)
def test_builtins_of_the_solutions_own_are_refused(attack: Attack, name: str) -> None:
    execution = attack(OWN_BUILTINS[name], SHARED)
    assert execution.verdict is Verdict.REFUSED
    assert execution.message == "the program changes __builtins__"


def test_builtins_that_are_swapped_in_a_call_are_refused(attack: Attack) -> None:
    code = "def square(x):\n    globals()['__builtins__'] = {}\n    return 0"
    assert attack(code, SHARED).verdict is Verdict.REFUSED


def test_a_right_program_passes_in_one_namespace_with_its_tests(attack: Attack) -> None:
    assert attack(SQUARE, SHARED).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    "change",
    [
        "unittest.TestCase.assertAlmostEqual.__defaults__ = (None, None, float('inf'))",
        "unittest.TestCase.subTest.__kwdefaults__ = {'msg': 0}",
        "unittest.case._AssertRaisesContext.__exit__ = lambda *a: True",
        "unittest.TestCase.assertEqual = lambda *a: None",
        "unittest.TestCase.run = lambda *a: None",
        "unittest.TestCase.failureException = KeyboardInterrupt",
        "unittest.TestSuite.run = lambda *a: None",
        "unittest.BaseTestSuite.__iter__ = lambda self: iter(())",
        "unittest.TestResult.addFailure = lambda *a: None",
        "unittest.case._Outcome.testPartExecutor = None",
        "unittest.TestCase = object",
        "unittest.util.safe_repr = None",
        "sys.modules['contextlib']._GeneratorContextManager.__exit__ = lambda *a: True",
        "unittest.TestCase.__getattribute__ = lambda self, name: print",
        "unittest.TestCase.__unittest_expecting_failure__ = True",
    ],
)
@pytest.mark.parametrize("moment", ["on import", "in a call"])
def test_changed_unittest_is_refused(attack: Attack, change: str, moment: str) -> None:
    if moment == "on import":
        code = f"import sys, unittest\n{change}\ndef square(x): return 0"
    else:
        code = f"import sys, unittest\ndef square(x):\n    {change}\n    return 0"
    assert attack(code, SQUARE_TEST_FILE).verdict is Verdict.REFUSED


def test_a_test_file_may_set_how_much_unittest_shows(attack: Attack) -> None:
    tests = CodeTests(
        code=f"import unittest.util\nunittest.util._MAX_LENGTH = 9\n{SQUARE_TEST_FILE.code}"
    )
    assert attack(SQUARE, tests).verdict is Verdict.PASSED


def test_failure_that_unittest_would_drop_is_refused(attack: Attack) -> None:
    code = """
import sys, unittest.case
def square(x):
    sys.modules["test_solution"].TestSquare.failureException = unittest.case._ShouldStop
    return 0
"""
    assert attack(code, SQUARE_TEST_FILE).verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    "change",
    [
        "case.assertEqual = lambda *a, **k: None",
        "case.test_three = lambda self: None",
        "case.test_three.__code__ = (lambda self: None).__code__",
        "case.setUp = lambda self: self.skipTest('')",
        "unittest.TestCase.assertEqual.__code__ = (lambda *a, **k: None).__code__",
    ],
)
def test_changed_test_class_is_refused(attack: Attack, change: str) -> None:
    code = f"""
import sys, unittest
calls = 0
def square(x):
    global calls
    calls += 1
    case = sys.modules["test_solution"].TestSquare
    {change}
    return x * x if calls == 1 else 0
"""
    assert attack(code, SQUARE_TEST_FILE).verdict is Verdict.REFUSED


def test_profiling_hook_is_switched_off(attack: Attack) -> None:
    code = """
import sys, unittest
real = unittest.TestCase.assertEqual
def hook(frame, event, argument):
    if frame.f_code.co_name.startswith("test_"):
        unittest.TestCase.assertEqual = real if event == "return" else lambda *a, **k: None
sys.setprofile(hook)
def square(x): return 0
"""
    assert attack(code, SQUARE_TEST_FILE).verdict is Verdict.WRONG_ANSWER


def test_replaced_unittest_module_is_refused(attack: Attack) -> None:
    code = "import sys, types\nsys.modules['unittest'] = types.ModuleType('unittest')\n"
    assert attack(code, SQUARE_TEST_FILE).verdict is Verdict.REFUSED


def test_test_that_skips_itself_does_not_pass(attack: Attack) -> None:
    code = "import unittest\ndef square(x): raise unittest.SkipTest('no')"
    assert attack(code, SQUARE_TEST_FILE).verdict is Verdict.EXCEPTION


def test_an_exception_that_unittest_ends_a_test_well_by_does_not_pass(attack: Attack) -> None:
    code = """
import unittest.case
calls = 0
def square(x):
    global calls
    calls += 1
    if calls > 1: raise unittest.case._ShouldStop
    return x * x
"""
    assert attack(code, SQUARE_TEST_FILE).verdict is Verdict.EXCEPTION


def test_a_subtest_that_fails_is_told_before_what_follows_it(attack: Attack) -> None:
    test = (
        "import unittest\n"
        "class TestSquare(unittest.TestCase):\n"
        "    def test_all(self):\n"
        "        for number in (1, 2):\n"
        "            with self.subTest(number):\n"
        "                self.assertEqual(square(number), number ** 2)\n"
    )
    tests = CodeTests(code=test, shared_namespace=True)
    assert attack(SQUARE, tests).verdict is Verdict.PASSED
    execution = attack("def square(x): return 7", tests)
    assert execution.verdict is Verdict.WRONG_ANSWER
    assert "7 != 1" in execution.message


def test_test_methods_that_vanish_are_refused(attack: Attack) -> None:
    code = """
import sys
def square(x):
    case = sys.modules["test_solution"].TestSquare
    case.test_three = case.test_four = lambda self: None
    del case.test_three
    return 0
"""
    assert attack(code, SQUARE_TEST_FILE).verdict is Verdict.REFUSED


def test_outcome_without_the_nonce_counts_for_nothing(attack: Attack) -> None:
    code = """
import marshal, os
data = marshal.dumps((bytes(32), "passed", "", "", "", 0, 2), 2)
for descriptor in range(3, 64):
    try: os.write(descriptor, b"T" + len(data).to_bytes(4, "little") + data)
    except OSError: pass
os._exit(0)
"""
    assert attack(code, SQUARE_TEST_FILE).verdict is Verdict.CRASHED


def test_nonce_is_in_no_frame_object_or_variable(attack: Attack) -> None:
    code = """
import gc, marshal, os, sys
candidates = set()
frame = sys._getframe()
gc.unfreeze()
things = list(gc.get_objects())
while frame:
    things += list(frame.f_locals.values())
    frame = frame.f_back
for thing in things:
    inner = thing if isinstance(thing, (list, tuple)) else (
        list(thing.values()) if isinstance(thing, dict) else [thing])
    candidates.update(item for item in inner if type(item) is bytes and len(item) == 32)
for nonce in candidates:
    data = marshal.dumps((nonce, "passed", "", "", "", 0, 2), 2)
    for descriptor in range(3, 64):
        try: os.write(descriptor, b"T" + len(data).to_bytes(4, "little") + data)
        except OSError: pass
os._exit(0)
"""
    assert attack(code, SQUARE_TEST_FILE).verdict is Verdict.CRASHED


def test_swallowed_assertions_of_the_script_do_not_pass(attack: Attack) -> None:
    code = "import sys\nsys.excepthook = lambda *a: None\ndef square(x): return 0"
    assert attack(code, SCRIPT).verdict is Verdict.WRONG_ANSWER


def test_background_child_of_a_test_run_does_not_report(attack: Attack) -> None:
    code = "import os\ndef square(x):\n    os.fork()\n    return 0"
    assert attack(code, SQUARE_TEST_FILE).verdict is Verdict.WRONG_ANSWER


def test_a_failure_that_is_made_an_expected_one_leaves_a_test_without_checks(
    attack: Attack,
) -> None:
    code = """
import sys
def square(x):
    if x != 3: sys._getframe(1).f_locals["self"]._outcome.expecting_failure = True
    return 9
"""
    execution = attack(code, SQUARE_TEST_FILE)
    assert execution.verdict is Verdict.REFUSED
    assert execution.message == "TestSquare.test_four: none of its 1 checks ran"


def test_a_check_reported_for_one_test_does_not_count_for_another(attack: Attack) -> None:
    told = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")  # test_three's check, run by it
    code = f"""
import os, sys
def square(x):
    for descriptor in range(3, 64):
        try: os.write(descriptor, b"C" + (8).to_bytes(4, "little") + {told!r})
        except OSError: pass
    if x != 3: sys._getframe(1).f_locals["self"]._outcome.expecting_failure = True
    return 9
"""
    execution = attack(code, SQUARE_TEST_FILE)
    assert execution.verdict is not Verdict.PASSED
