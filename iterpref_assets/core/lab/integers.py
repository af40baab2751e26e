"""Predicates and reductions of integers `x`: shared by lists, digits, ranges and dict values."""

from __future__ import annotations

from iterpref_assets.core.lab.features import Expression, Reduction, Sense


def greater(*bounds: int) -> tuple[Expression, ...]:
    """Predicates: above each of `bounds`."""
    return tuple(
        Expression(
            f"greater_than_{k}",
            (f"that are greater than {k}", f"that exceed {k}"),
            f"x > {k}",
            unsigned=k >= 0,
        )
        for k in bounds
    )


def less(*bounds: int) -> tuple[Expression, ...]:
    """Predicates: below each of `bounds`."""
    return tuple(
        Expression(f"less_than_{k}", (f"that are less than {k}", f"that are below {k}"), f"x < {k}")
        for k in bounds
    )


def divisible(*divisors: int) -> tuple[Expression, ...]:
    """Predicates: a multiple of each of `divisors`."""
    return tuple(
        Expression(
            f"divisible_by_{k}",
            (f"that are divisible by {k}", f"that are multiples of {k}"),
            f"x % {k} == 0",
        )
        for k in divisors
    )


def not_divisible(*divisors: int) -> tuple[Expression, ...]:
    """Predicates: no multiple of each of `divisors`."""
    return tuple(
        Expression(
            f"not_divisible_by_{k}",
            (f"that are not divisible by {k}", f"that are no multiples of {k}"),
            f"x % {k} != 0",
        )
        for k in divisors
    )


def other_than(*values: int) -> tuple[Expression, ...]:
    """Predicates: any number but each of `values`."""
    return tuple(
        Expression(f"not_{k}", (f"that are not {k}", f"that differ from {k}"), f"x != {k}")
        for k in values
    )


def between(*ranges: tuple[int, int]) -> tuple[Expression, ...]:
    """Predicates: within each of `ranges`, ends included."""
    return tuple(
        Expression(
            f"between_{low}_and_{high}",
            (f"that are between {low} and {high}", f"that lie from {low} to {high}"),
            f"{low} <= x <= {high}",
            unsigned=low >= 0,
        )
        for low, high in ranges
    )


ODD = Expression("odd", ("that are odd", "that are odd numbers"), "x % 2 == 1")
EVEN = Expression("even", ("that are even", "that are even numbers"), "x % 2 == 0")
NEGATIVE = Expression("negative", ("that are negative", "that are below zero"), "x < 0")
PRIME_DIGIT = Expression(
    "prime", ("that are 2, 3, 5 or 7", "that are prime digits"), "x in (2, 3, 5, 7)"
)

SUM = Reduction(
    "sum", ("the sum", "the total"),
    ("total = 0",), ("total += {y}",), "total", "int", Sense.BAG,
)  # fmt: skip
PRODUCT = Reduction(
    "product", ("the product, 1 if there are none", "the product (1 for none)"),
    ("product = 1",), ("product *= {y}",), "product", "int", Sense.BAG,
)  # fmt: skip
COUNT = Reduction(
    "count", ("how many there are", "the count"),
    ("count = 0",), ("count += 1",), "count", "int", Sense.BAG, mapped=False,
)  # fmt: skip
LARGEST = Reduction(
    "largest", ("the largest, None if there are none", "the maximum (None for none)"),
    ("best = None",), ("if best is None or {y} > best:", "    best = {y}"), "best", "int | None",
    Sense.SET,
)  # fmt: skip
SMALLEST = Reduction(
    "smallest", ("the smallest, None if there are none", "the minimum (None for none)"),
    ("best = None",), ("if best is None or {y} < best:", "    best = {y}"), "best", "int | None",
    Sense.SET,
)  # fmt: skip
DISTINCT = Reduction(
    "distinct", ("how many different results there are", "the number of distinct results"),
    ("seen = set()",), ("seen.add({y})",), "len(seen)", "int", Sense.SET,
)  # fmt: skip
LAST = Reduction(
    "last", ("the last one, None if there are none", "the final one (None for none)"),
    ("last = None",), ("last = {y}",), "last", "int | None", Sense.ORDER,
)  # fmt: skip
ALTERNATING = Reduction(
    "alternating", ("their sum with alternating signs, the first plus", "the alternating sum"),
    ("total = 0", "sign = 1"), ("total += sign * ({y})", "sign = -sign"), "total", "int",
    Sense.ORDER,
)  # fmt: skip
LISTED = Reduction(
    "listed", ("the list of them", "them as a list"),
    ("kept = []",), ("kept.append({y})",), "kept", "list[int]", Sense.ORDER,
)  # fmt: skip
SORTED = Reduction(
    "sorted", ("the sorted list of them", "them as a sorted list"),
    ("kept = []",), ("kept.append({y})",), "sorted(kept)", "list[int]", Sense.BAG,
)  # fmt: skip
RUNNING = Reduction(
    "running", ("the list of running totals", "their running totals as a list"),
    ("total = 0", "kept = []"), ("total += {y}", "kept.append(total)"), "kept", "list[int]",
    Sense.ORDER,
)  # fmt: skip
JOINED = Reduction(
    "joined", ("them joined by commas in a string", "a string of them with commas between"),
    ("parts = []",), ("parts.append(str({y}))",), '",".join(parts)', "str", Sense.ORDER,
)  # fmt: skip
COUNT_AND_SUM = Reduction(
    "count_and_sum", ("the pair of their count and sum", "their count and their sum as a tuple"),
    ("count = 0", "total = 0"), ("count += 1", "total += {y}"), "count, total",
    "tuple[int, int]", Sense.BAG,
)  # fmt: skip

REDUCTIONS = (
    SUM, PRODUCT, COUNT, LARGEST, SMALLEST, DISTINCT, LAST,
    ALTERNATING, LISTED, SORTED, RUNNING, JOINED, COUNT_AND_SUM,
)  # fmt: skip
