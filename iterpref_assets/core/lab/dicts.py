"""The subtree of programs over the entries of a dict: names `key` with integers `x`."""

from __future__ import annotations

from iterpref_assets.core.lab import integers as ints
from iterpref_assets.core.lab import mappings
from iterpref_assets.core.lab.features import Expression, Guard, Kind, Loop, Reduction, Sense, Walk
from iterpref_assets.core.lab.walks import NO_GUARD

NAME_PREDICATES = (
    *(
        Expression(
            f"name_longer_than_{k}",
            (f"whose name is longer than {k}", f"whose name has more than {k} letters"),
            f"len(key) > {k}",
        )
        for k in (1, 2, 3)
    ),
    *(
        Expression(
            f"name_with_{k}", (f"whose name contains {k}", f"with {k} in the name"), f'"{k}" in key'
        )
        for k in "aeo"
    ),
    *(
        Expression(
            f"name_before_{k}",
            (f"whose name comes before {k}", f"whose name sorts before {k}"),
            f'key < "{k}"',
        )
        for k in "dm"
    ),
)

REDUCTIONS = (
    ints.SUM, ints.PRODUCT, ints.COUNT, ints.LARGEST, ints.SMALLEST, ints.DISTINCT, ints.LAST,
    ints.LISTED, ints.SORTED, ints.RUNNING, ints.JOINED,
    Reduction(
        "entries", ("a dict of the names and results", "the dict of each name and its result"),
        ("kept = {}",), ("kept[key] = {y}",), "kept", "dict[str, int]", Sense.BAG,
    ),
    Reduction(
        "names", ("the list of their names", "their names as a list"),
        ("names = []",), ("names.append(key)",), "names", "list[str]", Sense.ORDER, mapped=False,
    ),
    Reduction(
        "name_text", ("their names joined by spaces", "a string of their names with spaces"),
        ("names = []",), ("names.append(key)",), '" ".join(names)', "str", Sense.ORDER,
        mapped=False,
    ),
    Reduction(
        "by_initial", ("a dict of the sum for each first letter", "the sums by first letter"),
        ("groups = {}",), ("groups[key[0]] = groups.get(key[0], 0) + {y}",), "groups",
        "dict[str, int]", Sense.BAG,
    ),
)  # fmt: skip

ENTRIES = Walk(
    kind=Kind.DICT,
    name="entries",
    parameters=(("scores",), ("prices",), ("stock",)),
    type="dict[str, int]",
    openings=("You are given a dict {p} of named integers.", "The dict {p} maps names to numbers."),
    target="key, x",
    element="numbers",
    nouns=("scores", "prices", "entries", "stock"),
    guards=(
        NO_GUARD,
        Guard("empty", ("there are no entries", "the number of entries is zero"), "not {p}"),
        Guard("few", ("there are fewer than 2 entries", "it has under 2 entries"), "len({p}) < 2"),
        Guard("many", ("there are more than 4 entries", "it has over 4 entries"), "len({p}) > 4"),
        Guard("has_a", ("the name a occurs", "one of the names is a"), '"a" in {p}'),
    ),
    loops=(
        Loop("each", ("Go through the entries", "Take every entry"), "{p}.items()"),
        Loop("but_first", ("Skip the first entry", "Leave out the first entry"),
             "list({p}.items())[1:]"),
        Loop("first_three", ("Take the first three entries", "Take at most three entries"),
             "list({p}.items())[:3]"),
        Loop("backwards", ("Go through the entries backwards", "Take the entries from the end"),
             "reversed({p}.items())", sense=Sense.ORDER),
        Loop("by_name", ("Go through the entries sorted by name", "Take the entries by name"),
             "sorted({p}.items())", sense=Sense.ORDER),
        Loop("until_negative", ("Stop at the first negative number", "Stop before any negative"),
             "{p}.items()", stop="x < 0"),
        Loop("until_zero", ("Stop at the first 0", "Stop before any 0"), "{p}.items()",
             stop="x == 0"),
    ),
    predicates=(
        ints.EVEN, ints.ODD, ints.NEGATIVE, *ints.divisible(3, 5), *ints.not_divisible(3, 5),
        *ints.greater(0, 2, 5), *ints.less(4, 6), *ints.between((1, 9), (2, 6)), *NAME_PREDICATES,
    ),
    mappings=mappings.SIGNED,
    reductions=REDUCTIONS,
)  # fmt: skip
