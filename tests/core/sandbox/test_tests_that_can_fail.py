"""Tests that no program fails, refused by name, and tests that look like them but may fail."""

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.code_tests import require_usable, usable_tests

REAL = "def test_real():\n    assert add(1, 2) == 3\n"
OWN = "def add(a, b):\n    return a + b\n"


def a_test(check: str) -> str:
    return f"def test_it(self=case):\n    r = add(1, 2)\n    {check}\n"


@pytest.mark.parametrize(
    "check",
    [
        "assert r == r",
        "assert r is r and r <= r",
        "assert r or True",
        "assert 1 == 1",
        "assert 1 + 1 == 2",
        "assert 'a' in 'abc'",
        "assert not False",
        "assert [add(1, 2) == 3]",
        "assert (add(1, 2) == 3, 'told')",
        "assert {'r': r == 3}",
        "assert {r == 3}",
        "assert f'add gives {r}'",
        "assert lambda: r == 3",
        "assert (each == 3 for each in [r])",
        "assert all(add(a, 1) == 2 for a in [])",
        "assert all([])",
        "assert not any(add(a, 1) != 2 for a in ())",
        "assert len([r]) >= 0",
        "assert isinstance(r, object)",
        "self.assertEqual(r, r)",
        "self.assertTrue(r == r)",
        "self.assertFalse(not [r])",
        "self.assertGreaterEqual(len(str(r)), 0)",
        "self.assertListEqual(r.parts, r.parts)",
        "numpy.testing.assert_allclose(r, r)",
        "self.assertTrue(True)",
        "self.assertRaises(TypeError)",
        "pytest.raises(TypeError)",
        "if False: raise ValueError(r)",
    ],
)
def test_a_test_whose_checks_all_hold_is_refused_by_name(check: str) -> None:
    with pytest.raises(InputError, match="test_it cannot fail: its checks hold whatever"):
        usable_tests(REAL + a_test(check))


@pytest.mark.parametrize(
    "check",
    [
        "assert r == 3",
        "assert r != r + 1",
        "assert r == add(2, 1)",
        "assert r or 0",
        "assert [*r]",
        "assert all(add(a, 1) == 2 for a in [1])",
        "assert all(each == 3 for each in r)",
        "assert f'{r}'",
        "assert len(str(r)) >= 1",
        "self.assertTrue(add(1, 2), 3)",
        "self.assertEqual(r, 3)",
        "self.assertNotEqual(r, r)",
        "self.assertRaises(TypeError, add)",
        "with self.assertRaises(TypeError): add()",
        "if r != 3: raise ValueError(r)",
        "numpy.testing.assert_array_less(r, r)",
    ],
)
def test_a_test_that_a_wrong_program_may_fail_is_taken(check: str) -> None:
    assert usable_tests(a_test(check)).names == ("test_it",)


def test_one_check_that_may_fail_makes_a_test_of_those_that_hold() -> None:
    assert usable_tests(a_test("assert r == r\n    assert r == 3")).checks == 2


def test_a_test_that_checks_nothing_and_calls_nothing_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="test_it cannot fail: it checks nothing"):
        usable_tests(REAL + "def test_it():\n    pass\n")


def test_a_script_whose_checks_all_hold_is_refused() -> None:
    with pytest.raises(InputError, match="the test file cannot fail"):
        usable_tests("r = add(1, 2)\nassert r == r\n")


SAME = "def test_same():\n    assert add(1, 2) == add(1, 2)\n"


def test_a_file_that_compares_the_program_with_itself_alone_is_refused() -> None:
    with pytest.raises(InputError, match="compares what the program does with itself alone"):
        usable_tests(SAME + "def test_it(self=case):\n    self.assertEqual(add(1, 2), add(1, 2))\n")


def test_a_test_that_the_program_is_not_random_is_taken_beside_others() -> None:
    assert usable_tests(REAL + SAME).names == ("test_real", "test_same")


@pytest.mark.parametrize(
    "code",
    [
        OWN + REAL,
        "from solution import add\n" + OWN + REAL,
        "from solution import add\n" + REAL.replace("add(1, 2)", "1 + len('ab')"),
        "from solution import *\n" + OWN + REAL,
        "import solution\n" + OWN + REAL,
        '"""Tests of the solution."""\n' + OWN + REAL,
    ],
)
def test_a_file_that_uses_nothing_of_the_solution_is_refused(code: str) -> None:
    with pytest.raises(InputError, match="uses nothing of the module 'solution'"):
        require_usable(CodeTests(code=code))


@pytest.mark.parametrize(
    "code",
    [
        "from solution import add\n" + REAL,
        "from solution import add as plus\n" + REAL.replace("add", "plus"),
        "from solution import *\n" + REAL,
        "import solution\n" + REAL.replace("add", "solution.add"),
        "import solution as s\nadd = s.add\n" + REAL,
        REAL.replace(":\n", ":\n    from solution import add\n", 1),
        "import importlib\nadd = importlib.import_module('solution').add\n" + REAL,
        "from solution import *\ndef check(add):\n    assert add(1, 2) == 3\ncheck(add)\n",
    ],
)
def test_a_file_that_uses_the_solution_in_any_way_is_taken(code: str) -> None:
    require_usable(CodeTests(code=code))


def test_a_file_that_goes_on_in_the_solutions_module_uses_its_names() -> None:
    require_usable(CodeTests(code=REAL, shared_namespace=True))


def test_a_function_with_the_name_of_one_of_pythons_is_the_solutions() -> None:
    code = "from solution import *\ndef check(c):\n    assert sum(10, 15) == 6\ncheck(sum)\n"
    require_usable(CodeTests(code=code), "sum")


def test_a_module_of_another_name_is_looked_for_by_that() -> None:
    require_usable(CodeTests(code="from add import add\n" + REAL, module="add"))


@pytest.mark.parametrize(
    "code",
    [
        f"from solution import add\nassert 0 == {'+'.join(['add(1, 2)'] * 1500)}",
        "from solution import *\nassert add(1, 2) == 3\n\n\ndef f():\n    x = 1\n    global x",
    ],
    ids=["deep", "does not compile"],
)
def test_a_file_that_cannot_be_read_is_refused(code: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        require_usable(CodeTests(code=code))
