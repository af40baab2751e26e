import pytest

from iterpref_assets.core.evaluation.evalplus.data import EvalPlusBenchmark
from iterpref_assets.core.evaluation.evalplus.oracle import Oracle, asks_for_floats

HUMANEVAL, MBPP = EvalPlusBenchmark.HUMANEVAL, EvalPlusBenchmark.MBPP


def accepts(output, expected, *, benchmark=HUMANEVAL, entry_point="f", atol=0.0, arguments=()):
    oracle = Oracle(benchmark, entry_point, atol)
    is_float = asks_for_floats(entry_point, expected)
    return oracle.accepts(list(arguments), output, expected, lambda: is_float)


def test_equal_values_are_accepted():
    assert accepts([1, "a"], [1, "a"])


def test_unequal_values_are_refused():
    assert not accepts([1, "a"], [1, "b"])


def test_floats_are_compared_within_a_millionth_even_without_a_tolerance():
    assert accepts(0.5 + 9e-7, 0.5)
    assert not accepts(0.5 + 2e-6, 0.5)


def test_lists_of_floats_are_compared_element_by_element():
    assert accepts([0.5, 1.0 + 5e-7], [0.5, 1.0])
    assert not accepts([0.5], [0.5, 1.0])


def test_a_near_float_of_another_container_type_is_refused():
    assert not accepts((0.5 + 1e-9,), [0.5])


def test_an_integer_is_not_near_a_float_unless_equal():
    assert accepts(1, 1.0)
    assert not accepts(1, 1.0000001)


def test_the_tolerance_forced_by_a_float_stays_for_later_outputs():
    oracle = Oracle(HUMANEVAL, "f", 0.0)
    assert not oracle.accepts([], 10_000_000, 10_000_001, lambda: False)
    # np.allclose allows 1e-6 + 1e-7 * 10,000,001 = 1.000001 after a float, as in evalplus.
    assert oracle.accepts([], 10_000_000, 10_000_001, lambda: True)


def test_a_zero_of_the_polynomial_is_accepted_whichever_it_is():
    # (x - 1)(x - 2) = 2 - 3x + x^2
    zero = {"entry_point": "find_zero", "atol": 1e-4, "arguments": ([2, -3, 1],)}
    assert accepts(2.0, 1.0, **zero)
    assert not accepts(1.5, 1.0, **zero)


def test_a_zero_that_is_no_number_is_refused():
    assert not accepts("1", 1.0, entry_point="find_zero", atol=1e-4, arguments=([1, -1],))


def test_some_mbpp_tasks_are_compared_as_sets():
    assert accepts((5, 4, 4), (4, 5), benchmark=MBPP, entry_point="similar_elements")
    assert not accepts((5,), (4, 5), benchmark=MBPP, entry_point="similar_elements")
    assert not accepts((5, 4), (4, 5), benchmark=HUMANEVAL, entry_point="similar_elements")


class Colliding(int):
    """Numbers of one hash, which a set can tell apart by comparing alone."""

    compared = 0

    def __hash__(self):
        return 0

    def __eq__(self, other):
        Colliding.compared += 1
        return int(self) == int(other)


def test_a_set_of_members_built_to_collide_is_not_compared_with_itself():
    Colliding.compared = 0
    output = [Colliding(number) for number in range(1000)]
    assert not accepts(output, (4, 5), benchmark=MBPP, entry_point="similar_elements")
    assert Colliding.compared < 10_000


@pytest.mark.parametrize(
    ("output", "reference", "right"),
    [
        ("match", "other match", True),
        (None, None, True),
        (None, "match", False),
        ("match", None, False),
        (True, "match", True),
        (False, None, True),
    ],
)
def test_some_mbpp_tasks_ask_only_whether_there_is_a_value(output, reference, right):
    assert accepts(output, reference, benchmark=MBPP, entry_point="check_str") is right


def test_the_reference_of_such_a_task_is_no_float():
    assert not asks_for_floats("check_str", 0.5)
    assert asks_for_floats("f", [0.5, 1.0])


def test_mbpp_295_takes_zero():
    assert accepts(0, 7, benchmark=MBPP, entry_point="sum_div")


def test_mbpp_581_takes_the_height_as_perpendicular_too():
    # base 6, height 4: slant 5, 36 + 2 * 6 * 5 = 96
    arguments = {"benchmark": MBPP, "entry_point": "surface_Area", "arguments": (6, 4)}
    assert accepts(96, 84, **arguments)
    assert not accepts(95, 84, **arguments)


def test_mbpp_558_takes_numbers_padded_with_zeros():
    # 9 against 123: |0-1| + |0-2| + |9-3| = 9
    arguments = {"benchmark": MBPP, "entry_point": "digit_distance_nums", "arguments": (9, 123)}
    assert accepts(9, 6, **arguments)
    assert not accepts(8, 6, **arguments)


def test_mbpp_164_takes_anything():
    assert accepts("anything", True, benchmark=MBPP, entry_point="are_equivalent")
