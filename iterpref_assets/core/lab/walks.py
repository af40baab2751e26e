"""The feature tree: every way the lab's programs go through their input."""

from __future__ import annotations

from iterpref_assets.core.lab import integers as ints
from iterpref_assets.core.lab import mappings, texts
from iterpref_assets.core.lab.features import Guard, Kind, Loop, Reduction, Sense, Walk

NO_GUARD = Guard("no_guard", ("",), "")


def _slices(noun: str, sequence: str, wrap: str = "{}") -> tuple[Loop, ...]:
    """Loops over slices of a sequence of `noun`s; `wrap` is put around the slice."""
    return (
        Loop("each", (f"Go through the {noun}s", f"Take every {noun}"), wrap.format(sequence)),
        Loop("second", (f"Take every second {noun}", f"Take each other {noun}"),
             wrap.format(f"{sequence}[::2]")),
        Loop("but_first", (f"Skip the first {noun}", f"Leave out the first {noun}"),
             wrap.format(f"{sequence}[1:]")),
        Loop("but_last", (f"Skip the last {noun}", f"Leave out the last {noun}"),
             wrap.format(f"{sequence}[:-1]")),
        Loop("first_three", (f"Take the first three {noun}s", f"Take at most three {noun}s"),
             wrap.format(f"{sequence}[:3]")),
        Loop("backwards", (f"Go through the {noun}s backwards", f"Take the {noun}s from the end"),
             wrap.format(f"{sequence}[::-1]"), sense=Sense.ORDER),
    )  # fmt: skip


def _sizes(noun: str, *, few: int, many: int) -> tuple[Guard, ...]:
    """Guards on how many `noun`s there are."""
    return (
        Guard("empty", (f"there are no {noun}s", f"the number of {noun}s is zero"), "not {p}"),
        Guard("few", (f"there are fewer than {few} {noun}s", f"it has under {few} {noun}s"),
              f"len({{p}}) < {few}"),
        Guard("many", (f"there are more than {many} {noun}s", f"it has over {many} {noun}s"),
              f"len({{p}}) > {many}"),
    )  # fmt: skip


NUMBERS = Walk(
    kind=Kind.LIST,
    name="numbers",
    parameters=(("numbers",), ("values",), ("items",)),
    type="list[int]",
    openings=("You are given a list of integers {p}.", "The list {p} holds integers."),
    target="x",
    element="numbers",
    nouns=("numbers", "values", "list", "items"),
    guards=(
        NO_GUARD,
        *_sizes("number", few=3, many=5),
        Guard("has_zero", ("the list contains 0", "one of the numbers is 0"), "0 in {p}"),
        Guard("negative_sum", ("the numbers sum to less than 0", "the sum of all is negative"),
              "sum({p}) < 0"),
    ),
    loops=(
        *_slices("number", "{p}"),
        Loop("distinct", ("Take each different number once", "Ignore repeated numbers"),
             "dict.fromkeys({p})", sense=Sense.BAG),
        Loop("until_negative", ("Stop at the first negative number", "Stop before any negative"),
             "{p}", stop="x < 0"),
        Loop("until_zero", ("Stop at the first 0", "Stop before any 0"), "{p}", stop="x == 0"),
    ),
    predicates=(
        ints.EVEN, ints.ODD, ints.NEGATIVE, *ints.divisible(3, 4, 5), *ints.not_divisible(3, 4, 5),
        *ints.greater(0, 2, 5, 7), *ints.less(4, 6, 9), *ints.between((1, 9), (2, 6)),
        *ints.other_than(1, 4),
    ),
    mappings=mappings.SIGNED,
    reductions=ints.REDUCTIONS,
)  # fmt: skip

RANGE = Walk(
    kind=Kind.NUMBER,
    name="range",
    parameters=(("low", "high"), ("first", "final"), ("a", "b")),
    type="int",
    openings=(
        "You are given two integers {p} and {q} that bound a range.",
        "The integers from {p} to {q} form a range.",
    ),
    target="x",
    element="integers",
    nouns=("range", "interval", "integers", "span"),
    guards=(
        NO_GUARD,
        Guard("empty", ("{p} is greater than {q}", "{p} exceeds {q}"), "{p} > {q}"),
        Guard("negative", ("{p} is negative", "{p} is below 0"), "{p} < 0"),
        Guard("even_end", ("{q} is even", "{q} is an even number"), "{q} % 2 == 0"),
        Guard("equal", ("{p} equals {q}", "{p} and {q} are equal"), "{p} == {q}"),
    ),
    loops=(
        Loop("each", ("Go through the integers", "Take every integer"), "range({p}, {q} + 1)"),
        Loop("second", ("Take every second integer", "Take each other integer"),
             "range({p}, {q} + 1, 2)"),
        Loop("third", ("Take every third integer", "Go in steps of three"),
             "range({p}, {q} + 1, 3)"),
        Loop("but_last", ("Skip the last integer", "Leave out the last integer"),
             "range({p}, {q})"),
        Loop("backwards", ("Go through the integers backwards", "Take the integers from the end"),
             "range({q}, {p} - 1, -1)", sense=Sense.ORDER),
        Loop("until_ten", ("Stop at the first multiple of 10", "Stop before any multiple of 10"),
             "range({p}, {q} + 1)", stop="x % 10 == 0"),
    ),
    predicates=(
        ints.EVEN, ints.ODD, ints.NEGATIVE, *ints.divisible(3, 4, 5), *ints.not_divisible(3, 4, 5),
        *ints.greater(0, 2, 5, 7), *ints.less(4, 6, 9), *ints.other_than(1, 4, 6),
    ),
    mappings=mappings.SIGNED,
    reductions=(
        ints.SUM, ints.PRODUCT, ints.COUNT, ints.LARGEST, ints.SMALLEST, ints.ALTERNATING,
        ints.LISTED, ints.RUNNING, ints.JOINED, ints.COUNT_AND_SUM,
    ),
)  # fmt: skip

DIGITS = Walk(
    kind=Kind.NUMBER,
    name="digits",
    parameters=(("n",), ("number",), ("value",)),
    type="int",
    openings=(
        "You are given an integer {p}; its sign has no digit.",
        "The integer {p} is read digit by digit without its sign.",
    ),
    target="x",
    element="digits",
    nouns=("digits", "number", "integer", "value"),
    guards=(
        NO_GUARD,
        Guard("negative", ("{p} is negative", "{p} is below 0"), "{p} < 0"),
        Guard("small", ("{p} is less than 100", "{p} is below 100"), "{p} < 100"),
        Guard("large", ("{p} is greater than 9999", "{p} exceeds 9999"), "{p} > 9999"),
        Guard("even_number", ("{p} is even", "{p} is an even number"), "{p} % 2 == 0"),
    ),
    loops=_slices("digit", "str(abs({p}))", "map(int, {})"),
    predicates=(
        ints.EVEN, ints.ODD, ints.PRIME_DIGIT, *ints.divisible(3, 4), *ints.not_divisible(3, 4),
        *ints.greater(1, 2, 4, 6), *ints.less(4, 6, 8), *ints.between((2, 6), (3, 8)),
        *ints.other_than(1, 5, 7),
    ),
    mappings=mappings.DIGIT,
    reductions=(
        *ints.REDUCTIONS,
        Reduction(
            "number", ("the number they spell", "the number made of them"),
            ("result = 0",), ("result = result * 10 + {y}",), "result", "int", Sense.ORDER,
        ),
    ),
)  # fmt: skip

CHARACTERS = Walk(
    kind=Kind.STRING,
    name="characters",
    parameters=(("text",), ("line",), ("message",)),
    type="str",
    openings=("You are given a string {p}.", "The string {p} holds any characters."),
    target="c",
    element="characters",
    nouns=("text", "letters", "string", "characters"),
    guards=(
        NO_GUARD,
        *_sizes("character", few=4, many=8),
        Guard("spaced", ("the string contains a space", "one of the characters is a space"),
              '" " in {p}'),
    ),
    loops=(
        *_slices("character", "{p}"),
        Loop("until_space", ("Stop at the first space", "Stop before any space"), "{p}",
             stop='c == " "'),
        Loop("until_digit", ("Stop at the first digit", "Stop before any digit"), "{p}",
             stop="c.isdigit()"),
    ),
    predicates=texts.CHARACTER_PREDICATES,
    mappings=texts.CHARACTER_MAPPINGS,
    reductions=texts.CHARACTER_REDUCTIONS,
)  # fmt: skip

WORDS = Walk(
    kind=Kind.STRING,
    name="words",
    parameters=(("text",), ("line",), ("message",)),
    type="str",
    openings=("You are given a string {p} of words.", "The string {p} holds words."),
    target="word",
    element="words",
    nouns=("words", "sentence", "text", "line"),
    guards=(
        NO_GUARD,
        Guard("empty", ("the string is empty", "the string has no characters"), "not {p}"),
        Guard("long", ("there are more than 12 characters", "it has over 12 characters"),
              "len({p}) > 12"),
        Guard("one_word", ("there is no space", "the string contains no space"), '" " not in {p}'),
    ),
    loops=(
        *_slices("word", "{p}.split()"),
        Loop("distinct", ("Take each different word once", "Ignore repeated words"),
             "dict.fromkeys({p}.split())", sense=Sense.BAG),
        Loop("until_letter", ("Stop at a word of one letter", "Stop before a lone letter"),
             "{p}.split()", stop="len(word) == 1"),
    ),
    predicates=texts.WORD_PREDICATES,
    mappings=texts.WORD_MAPPINGS,
    reductions=texts.WORD_REDUCTIONS,
)  # fmt: skip
