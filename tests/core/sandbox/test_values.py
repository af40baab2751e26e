"""The encoding that crosses the boundary: faithful for plain data, harmless for anything else."""

import contextlib
import marshal
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.sandbox.inside.encoding import DIGEST, TREE, VALUE, TooDeepError
from iterpref_assets.core.sandbox.values import (
    Digest,
    Encoded,
    MalformedValueError,
    Opaque,
    count_calls,
    encode_arguments,
    encode_value,
    literal,
    values_equal,
)

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

ROOM = 1 << 24
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**200), max_value=2**200)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text()
    | st.binary()
)
HASHABLE = st.recursive(SCALARS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner))
PLAIN = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner)
        | st.sets(HASHABLE)
        | st.frozensets(HASHABLE)
        | st.dictionaries(HASHABLE, inner)
    ),
    max_leaves=20,
)


def shape(value: Any) -> Any:
    """The exact types all the way down, which `==` does not look at."""
    if isinstance(value, dict):
        return ("dict", [(shape(key), shape(item)) for key, item in value.items()])
    if isinstance(value, list | tuple):
        return (type(value), [shape(member) for member in value])
    if isinstance(value, set | frozenset):
        return (type(value), sorted(repr(shape(member)) for member in value))
    return type(value)


@given(PLAIN)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    encoded = encode_value(value, ROOM)
    assert encoded.kind == VALUE
    decoded = encoded.decode()
    assert decoded == value
    assert shape(decoded) == shape(value)


@given(st.binary(max_size=200))
def test_reading_any_bytes_gives_a_value_or_the_one_error(data: bytes) -> None:
    for kind in (VALUE, TREE, DIGEST):
        try:
            Encoded(kind, data).decode()
        except MalformedValueError:
            continue


@given(PLAIN, st.data())
def test_reading_damaged_bytes_gives_a_value_or_the_one_error(value: Any, data: Any) -> None:
    payload = bytearray(encode_value(value, ROOM).payload)
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MalformedValueError):
        Encoded(VALUE, bytes(payload)).decode()


@pytest.mark.parametrize(
    "value",
    [math.inf, -math.inf, -0.0, 10**4000, -(10**4000), "\udc80", "", (), frozenset(), {1: {2: ()}}],
)
def test_edge_values_come_back(value: Any) -> None:
    decoded = encode_value(value, ROOM).decode()
    assert decoded == value
    assert type(decoded) is type(value)


def test_minus_zero_keeps_its_sign() -> None:
    assert math.copysign(1, encode_value(-0.0, ROOM).decode()) == -1


def test_code_objects_cannot_be_smuggled_in() -> None:
    smuggled = marshal.dumps(compile("1", "", "eval"), 2)
    with pytest.raises(MalformedValueError):
        Encoded(VALUE, smuggled).decode()


def test_references_of_later_formats_are_refused() -> None:
    with pytest.raises(MalformedValueError):
        Encoded(VALUE, marshal.dumps([(), ()], 4)).decode()


def test_a_length_beyond_the_end_takes_no_memory() -> None:
    with pytest.raises(MalformedValueError):
        Encoded(VALUE, b"[\xff\xff\xff\x7f").decode()


def test_a_set_of_equal_hashes_is_refused() -> None:
    colliding = [number * (2**61 - 1) for number in range(1, 200)]
    payload = b"<" + len(colliding).to_bytes(4, "little")
    payload += b"".join(marshal.dumps(number, 2) for number in colliding)
    with pytest.raises(MalformedValueError, match="collide"):
        Encoded(VALUE, payload).decode()


def test_unhashable_members_of_a_set_are_refused() -> None:
    with pytest.raises(MalformedValueError):
        Encoded(VALUE, b"<\x01\x00\x00\x00[\x00\x00\x00\x00").decode()


def test_nested_deeper_than_the_bound_is_refused_by_both_sides() -> None:
    value: list[Any] = []
    for _ in range(300):
        value = [value]
    with pytest.raises(TooDeepError):
        encode_value(value, ROOM)
    with pytest.raises(MalformedValueError):
        Encoded(VALUE, marshal.dumps(value, 2)).decode()


def test_a_large_value_becomes_a_digest() -> None:
    text = "x" * 1000
    digest = encode_value(text, 100).decode()
    assert isinstance(digest, Digest)
    assert digest.type_name == "str"
    assert digest.size == 1005
    assert encode_value(text, 100) == encode_value("x" * 1000, 100)
    assert encode_value(text, 100) != encode_value("y" * 1000, 100)


def test_subclasses_of_plain_types_become_their_content() -> None:
    from collections import Counter, OrderedDict, defaultdict, namedtuple

    point = namedtuple("point", "x y")(1, 2)  # noqa: PYI024
    value = [Counter("aab"), OrderedDict(a=1), defaultdict(int, b=2), point]
    decoded = encode_value(value, ROOM).decode()
    assert decoded == [{"a": 2, "b": 1}, {"a": 1}, {"b": 2}, (1, 2)]
    assert [type(each) for each in decoded] == [dict, dict, dict, tuple]


@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: {1: value}])
def test_a_subclass_may_lie_as_deep_as_a_plain_value(wrap: Callable[[Any], Any]) -> None:
    from collections import Counter

    nested, plain = Counter("a"), {"a": 1}
    for _ in range(199):
        nested, plain = wrap(nested), wrap(plain)
    encoded = encode_value(nested, ROOM)
    assert encoded.kind == TREE
    assert encoded.decode() == encode_value(plain, ROOM).decode() == plain


def test_numpy_scalars_become_python_numbers() -> None:
    import numpy as np

    decoded = encode_value([np.float64(2.5), np.int8(3), np.bool_(True)], ROOM).decode()
    assert decoded == [2.5, 3, True]
    assert [type(each) for each in decoded] == [float, int, bool]


def test_numpy_array_is_opaque_and_not_bytes() -> None:
    import numpy as np

    decoded = encode_value(np.array([1, 2]), ROOM).decode()
    assert decoded == Opaque("numpy.ndarray", "array([1, 2])")


def test_objects_of_the_programs_own_classes_show_only_their_type() -> None:
    class Own:
        def __repr__(self) -> str:
            raise AssertionError("must not be asked")

    decoded = encode_value((1, Own()), ROOM).decode()
    assert decoded[0] == 1
    assert decoded[1].type_name.endswith("Own")
    assert decoded[1].text == ""


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        (1, 1.0, True),
        (1, True, True),
        ([1], (1,), False),
        ({1, 2}, frozenset({2, 1}), True),
        (0.1 + 0.2, 0.3, False),
        ("1", 1, False),
        ([math.nan], [math.nan], True),
        ({"a": math.nan}, {"a": math.nan}, True),
        (math.nan, 1.0, False),
        (None, False, False),
    ],
)
def test_equality_is_pythons_but_for_nan(first: Any, second: Any, equal: bool) -> None:
    one, other = encode_value(first, ROOM).decode(), encode_value(second, ROOM).decode()
    assert values_equal(one, other) is equal


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1, (2,), {"b"}], "[1, (2,), {'b'}]"),
        ({3, 1, 2}, "{1, 2, 3}"),
        ({"k": [None]}, "{'k': [None]}"),
        (set(), "set()"),
        (frozenset({1}), "frozenset({1})"),
        ((), "()"),
        (Opaque("solution.A", ""), "<solution.A object>"),
        (Digest("str", 7, "00"), "<str of 7 bytes>"),
    ],
)
def test_literals_are_the_same_on_every_machine(value: Any, text: str) -> None:
    assert literal(value) == text


def test_long_literals_are_cut() -> None:
    assert len(literal(list(range(10**6)), 100)) == 100
    assert literal("x" * 1000, 20) == "'" + "x" * 16 + "..."


def test_integers_beyond_the_limit_of_str_are_shown_in_hex() -> None:
    assert literal(10**5000, 100).startswith("0x")


def test_calls_are_counted_without_decoding() -> None:
    assert count_calls(encode_arguments([(1,), ([2],), ()])) == 3


def test_arguments_that_are_not_plain_are_refused() -> None:
    with pytest.raises(ValueError, match="unmarshallable"):
        encode_arguments([(object(),)])
