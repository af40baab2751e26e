"""Test files whose process the program is out of: what they can do, and every forgery failing."""

import pytest
from patient_sandbox import SOON

from iterpref_assets.core.sandbox.code_tests import ProxiedTests
from iterpref_assets.core.sandbox.feedback import no_such_function
from iterpref_assets.core.sandbox.verdicts import Verdict

from .conftest import Attack

PRELUDE = "import math\nSHOWN = 4\ndef square(x):\n    pass\n"


def apart(*methods: str, head: str = "") -> ProxiedTests:
    """A test class of these methods, whose process has no `square` of its own."""
    code = f"import unittest\n{head}class TestSquare(unittest.TestCase):\n"
    for number, body in enumerate(methods):
        code += f"    def test_{number}(self):\n"
        code += "".join(f"        {line}\n" for line in body.splitlines())
    return ProxiedTests(code, PRELUDE, "square")


SQUARES = apart("self.assertEqual(square(3), 9)", "self.assertEqual(square(SHOWN), 16)")


def test_a_right_program_passes_out_of_reach_of_its_tests(attack: Attack) -> None:
    execution = attack("def square(x): return x * x", SQUARES)
    assert execution.verdict is Verdict.PASSED
    assert not execution.in_process


def test_a_wrong_program_is_told_the_assertion_that_failed(attack: Attack) -> None:
    execution = attack("def square(x): return 9", SQUARES)
    assert execution.verdict is Verdict.WRONG_ANSWER
    assert execution.message == (
        "TestSquare.test_1: self.assertEqual(square(SHOWN), 16) raised AssertionError: 9 != 16"
    )
    assert execution.failing_case == 1


@pytest.mark.parametrize(
    ("program", "error_type"),
    [
        ("def square(x", "SyntaxError"),
        ("import no_such_module", "ModuleNotFoundError"),
        ("raise SystemExit", "SystemExit"),
        ("def square(x): return x['a']", "TypeError"),
        ("class Own(Exception): pass\ndef square(x): raise Own", "Own"),
        (
            (
                "class Own(ValueError):\n    def __str__(self): raise KeyError\n"
                "def square(x): raise Own"
            ),
            "Own",
        ),
    ],
)
def test_what_the_program_raises_is_raised_in_its_tests(
    attack: Attack, program: str, error_type: str
) -> None:
    execution = attack(program, SQUARES)
    assert execution.verdict is Verdict.EXCEPTION
    assert execution.error_type == error_type


def test_the_line_of_the_program_is_told(attack: Attack) -> None:
    execution = attack("def square(x):\n    return 1 / 0", SQUARES)
    assert execution.message.endswith(
        "ZeroDivisionError: division by zero, in line 2: return 1 / 0"
    )


@pytest.mark.parametrize(
    ("raised", "asserted"),
    [
        ("ValueError('no -1')", "with self.assertRaisesRegex(ValueError, '^no -1$'): square(-1)"),
        ("KeyError('k')", "self.assertRaises(LookupError, square, -1)"),
        (
            "FileNotFoundError(2, 'gone', 'f.txt')",
            (
                "with self.assertRaises(OSError) as caught: square(-1)\n"
                "self.assertEqual(str(caught.exception), \"[Errno 2] gone: 'f.txt'\")\n"
                "self.assertEqual(caught.exception.errno, 2)"
            ),
        ),
        (
            "json.JSONDecodeError('bad', 'doc', 1)",
            (
                "with self.assertRaises(json.JSONDecodeError) as caught: square(-1)\n"
                "self.assertIn('bad: line 1', str(caught.exception))"
            ),
        ),
    ],
)
def test_tests_catch_exceptions_by_class_and_message(
    attack: Attack, raised: str, asserted: str
) -> None:
    program = f"import json\ndef square(x): raise {raised}"
    assert attack(program, apart(asserted, head="import json\n")).verdict is Verdict.PASSED


def test_an_exception_that_cannot_be_made_from_its_message_is_told_by_name_and_message(
    attack: Attack,
) -> None:
    program = "def square(x): raise ExceptionGroup('both', [ValueError()])"
    execution = attack(program, apart("self.assertEqual(square(3), 9)"))
    assert execution.error_type == "ExceptionGroup"
    assert "both (1 sub-exception)" in execution.message


def test_a_program_without_the_function_is_not_taken_for_one_that_raises(attack: Attack) -> None:
    tests = apart("with self.assertRaises(TypeError): square('a')")
    execution = attack("square = None", tests)
    assert (execution.verdict, execution.error_type) == (Verdict.EXCEPTION, "NameError")
    assert no_such_function("square") in execution.message


def test_another_exception_than_the_expected_one_fails(attack: Attack) -> None:
    tests = apart("with self.assertRaises(ValueError): square(-1)")
    execution = attack("def square(x): raise KeyError", tests)
    assert (execution.verdict, execution.error_type) == (Verdict.EXCEPTION, "KeyError")


def test_a_program_keeps_what_it_remembers_between_calls(attack: Attack) -> None:
    tests = apart("self.assertEqual([square(0), square(0)], [1, 2])")
    program = "seen = []\ndef square(x):\n    seen.append(x)\n    return len(seen)"
    assert attack(program, tests).verdict is Verdict.PASSED


def test_a_seed_that_a_test_sets_is_the_program_s(attack: Attack) -> None:
    body = "random.seed(7)\nwanted = random.random()\nrandom.seed(7)\n"
    tests = apart(f"{body}self.assertEqual(square(0), wanted)", head="import random\n")
    assert attack("import random\ndef square(x): return random.random()", tests).passed


def test_a_seed_that_a_test_sets_again_is_the_program_s_again(attack: Attack) -> None:
    body = "random.seed(7)\nfirst = square(0)\nrandom.seed(7)\n"
    tests = apart(f"{body}self.assertEqual(square(0), first)", head="import random\n")
    assert attack("import random\ndef square(x): return random.random()", tests).passed


def test_numbers_that_a_test_draws_are_its_own_where_the_program_draws_none(
    attack: Attack,
) -> None:
    body = "random.seed(7)\nwanted = [random.random(), random.random()]\nrandom.seed(7)\n"
    body += "found = [random.random()]\nsquare(0)\nfound.append(random.random())\n"
    tests = apart(f"{body}self.assertEqual(found, wanted)", head="import random\n")
    assert attack("def square(x): return 0", tests).passed


@pytest.mark.parametrize(
    ("program", "draws"),
    [
        ("def square(x): raise ValueError", 0),
        ("import random\ndef square(x):\n    random.random()\n    raise ValueError", 1),
    ],
)
def test_a_call_that_raises_draws_what_the_program_drew(
    attack: Attack, program: str, draws: int
) -> None:
    body = f"random.seed(7)\nfor _ in range({draws}): random.random()\nwanted = random.random()\n"
    body += "random.seed(7)\nwith self.assertRaises(ValueError): square(0)\n"
    tests = apart(f"{body}self.assertEqual(random.random(), wanted)", head="import random\n")
    assert attack(program, tests).passed


def test_files_are_shared_with_the_tests(attack: Attack) -> None:
    tests = apart(
        "folder = tempfile.mkdtemp()\n"
        "path = os.path.join(folder, 'x')\n"
        "square(path)\n"
        "with open(path) as file: self.assertEqual(file.read(), 'said')",
        head="import os, tempfile\n",
    )
    program = "def square(path):\n    with open(path, 'w') as file: file.write('said')"
    assert attack(program, tests).verdict is Verdict.PASSED


def test_an_argument_that_a_program_changes_stays_as_the_test_has_it(attack: Attack) -> None:
    tests = apart("given = [3, 1]\nself.assertEqual(square(given), sorted(given))")
    assert attack("def square(x):\n    x.clear()\n    return []", tests).verdict is (
        Verdict.WRONG_ANSWER
    )


@pytest.mark.parametrize("expected", ["TypeError", "Exception"])
def test_an_argument_that_does_not_cross_is_no_exception_that_a_test_expects(
    attack: Attack, expected: str
) -> None:
    tests = apart(f"with self.assertRaises({expected}): square(lambda: 3)")
    execution = attack("def square(x): raise TypeError", tests)
    assert (execution.verdict, execution.error_type) == (Verdict.EXCEPTION, "NotCarriedError")


def test_a_program_that_never_ends_is_ended_at_its_limit(attack: Attack) -> None:
    assert attack("def square(x):\n    while True: pass", SQUARES, SOON).verdict is Verdict.TIMEOUT


def test_a_program_that_ends_its_process_crashed(attack: Attack) -> None:
    program = "import os\ndef square(x): os._exit(0)"
    assert attack(program, SQUARES).verdict is Verdict.CRASHED


FORGERIES = {
    "an object that equals everything": """
class Any:
    def __eq__(self, other): return True
def square(x): return Any()
""",
    "a number that equals everything": """
class Any(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__
def square(x): return Any(0)
""",
    "expected values read from the calling frames": """
import sys
def square(x):
    frame = sys._getframe(1)
    numbers = []
    while frame:
        numbers += [each for each in frame.f_code.co_consts if isinstance(each, int)]
        frame = frame.f_back
    return {3: 9, 4: 16}[x] if {9, 16} <= set(numbers) else 0
""",
    "the test class found by the garbage collector": """
import gc
for each in gc.get_objects():
    if isinstance(each, type) and each.__name__ == "TestSquare":
        each.test_0 = each.test_1 = lambda self: None
def square(x): return 0
""",
    "an assertion of unittest replaced": """
import unittest
unittest.TestCase.assertEqual = lambda *a, **k: None
def square(x): return 0
""",
    "unittest's results replaced": """
import unittest
unittest.TestResult.addFailure = unittest.TestResult.addError = lambda *a: None
def square(x): return 0
""",
    "a false unittest by the namespace's own __import__": """
import builtins, types, unittest
class Lenient(unittest.TestCase):
    def assertEqual(self, *a, **k): pass
real = builtins.__import__
false = types.SimpleNamespace(TestCase=Lenient)
def fake(name, *a, **k): return false if name == "unittest" else real(name, *a, **k)
__builtins__ = {**vars(builtins), "__import__": fake}
builtins.__import__ = fake
def square(x): return 0
""",
    "emptied test methods by __build_class__": """
import builtins
real = builtins.__build_class__
def build(body, name, *bases, **k):
    made = real(body, name, *bases, **k)
    if name == "TestSquare": made.test_0 = made.test_1 = lambda self: None
    return made
builtins.__build_class__ = build
def square(x): return 0
""",
    "a builtin's name bound": "def square(x): return 0\ndef len(value): return 2\n",
    "a library's function replaced": """
import math
math.isclose = lambda *a, **k: True
def square(x): return 0
""",
    "an end at exit": """
import atexit, os
atexit.register(os._exit, 0)
def square(x): raise SystemExit(0)
""",
    "an outcome written to every descriptor": """
import marshal, os
def square(x):
    data = marshal.dumps((bytes(32), "passed", "", "", "", 0, 2), 2)
    check = b"C" + (8).to_bytes(4, "little") + bytes(8)
    for descriptor in range(256):
        try: os.write(descriptor, check + b"T" + len(data).to_bytes(4, "little") + data)
        except OSError: pass
    os._exit(0)
""",
    "an answer of the wire's own making": """
import os
def square(x):
    data = b'["list","returned",false,["no such tag",1]]'
    for descriptor in range(3, 64):
        try: os.write(descriptor, len(data).to_bytes(8, "little") + data)
        except OSError: pass
    return 0
""",
    "an exception that ends a test well": """
import unittest.case
calls = 0
def square(x):
    global calls
    calls += 1
    if calls > 1: raise unittest.case._ShouldStop
    return 9
""",
    "a test skipped": """
import unittest
def square(x): raise unittest.SkipTest("no")
""",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_fails_where_the_program_is_apart(attack: Attack, name: str) -> None:
    tests = apart(
        "self.assertEqual(square(3), 9)",
        "from fractions import Fraction\n"
        "found = square(4)\n"
        "self.assertTrue(math.isclose(found, Fraction(16)))\n"
        "self.assertEqual(len(str(found)), 2)",
    )
    assert attack(FORGERIES[name], tests).verdict is not Verdict.PASSED


DEFAULTS = {
    "the expected": ("lambda: 9", Verdict.PASSED),
    "another": ("lambda: 8", Verdict.WRONG_ANSWER),
    "what equals everything": ("Equal", Verdict.EXCEPTION),
    "a number that equals everything": ("lambda: EqualNumber(8)", Verdict.WRONG_ANSWER),
    "a test runner without checks": ("without_checks", Verdict.WRONG_ANSWER),
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_default_factory_makes_its_value_in_the_program_s_process_alone(
    attack: Attack, name: str
) -> None:
    factory, verdict = DEFAULTS[name]
    program = f"""
import unittest
from collections import defaultdict
class Equal:
    def __eq__(self, other): return True
class EqualNumber(int):
    def __eq__(self, other): return True
def without_checks():
    unittest.TestCase.assertEqual = lambda *a, **k: None
    return 8
def square(x): return defaultdict({factory})
"""
    assert attack(program, apart("self.assertEqual(square(3)['new'], 9)")).verdict is verdict


PLANTING = """
import os, sys
def square(x):
    planted = 0
    for folder in ("/box", "/tmp", "/dev/shm", ".", os.path.expanduser("~")):
        try:
            with open(f"{folder}/planted.py", "w") as file: file.write("found = True")
        except OSError: continue
        planted += 1
        sys.path.insert(0, folder)
    import planted as own
    return planted if own.found else 0
"""


def test_a_module_that_the_program_plants_is_not_to_be_imported_by_its_tests(
    attack: Attack,
) -> None:
    tests = apart(
        "self.assertGreater(square(0), 0)\n"
        "with self.assertRaises(ModuleNotFoundError): import planted"
    )
    assert attack(PLANTING, tests).verdict is Verdict.PASSED


@pytest.mark.usefixtures("namespaces")
def test_no_process_of_the_tests_can_be_named(attack: Attack) -> None:
    program = """
import os, signal
def square(x):
    reached = 0
    for pid in range(2, 400):
        try: os.kill(pid, 0)
        except OSError: continue
        reached += 1
    return reached
"""
    assert attack(program, apart("self.assertEqual(square(0), 0)")).verdict is Verdict.PASSED
