"""Mappings of integers `x`: shared by lists, digits, ranges and dict values."""

from __future__ import annotations

from iterpref_assets.core.lab.features import Expression

IDENTITY = Expression("same", ("",), "x")
NEGATED = Expression("negated", ("negate each", "flip the sign of each"), "-x")
ABSOLUTE = Expression(
    "absolute",
    ("take the absolute value of each", "drop the sign of each"),
    "abs(x)",
    unsigned=True,
)
SQUARED = Expression("squared", ("square each", "replace each by its square"), "x * x")
HALVED = Expression("halved", ("halve each, rounding down", "replace each by its half"), "x // 2")
LAST_DIGIT = Expression(
    "last_digit",
    ("take the last digit of each", "replace each by its last digit"),
    "abs(x) % 10",
)
COMPLEMENT = Expression(
    "complement", ("subtract each from 9", "replace each by 9 minus it"), "9 - x"
)


def multiplied(*factors: int) -> tuple[Expression, ...]:
    """Mappings: the element times each of `factors`."""
    return tuple(
        Expression(f"times_{k}", (f"multiply each by {k}", f"take {k} times each"), f"x * {k}")
        for k in factors
    )


def increased(*amounts: int) -> tuple[Expression, ...]:
    """Mappings: the element plus each of `amounts`."""
    return tuple(
        Expression(f"plus_{k}", (f"add {k} to each", f"increase each by {k}"), f"x + {k}")
        for k in amounts
    )


def decreased(*amounts: int) -> tuple[Expression, ...]:
    """Mappings: the element minus each of `amounts`."""
    return tuple(
        Expression(f"minus_{k}", (f"subtract {k} from each", f"decrease each by {k}"), f"x - {k}")
        for k in amounts
    )


def remainder(*divisors: int) -> tuple[Expression, ...]:
    """Mappings: the element modulo each of `divisors`."""
    return tuple(
        Expression(
            f"modulo_{k}", (f"take each modulo {k}", f"replace each by it modulo {k}"), f"x % {k}"
        )
        for k in divisors
    )


SIGNED = (
    IDENTITY, NEGATED, ABSOLUTE, SQUARED, HALVED, LAST_DIGIT, *multiplied(2, 3, 5),
    *increased(1, 4, 7), *decreased(2, 3), *remainder(4, 7),
)  # fmt: skip
"""For numbers of either sign."""

DIGIT = (
    IDENTITY, NEGATED, SQUARED, HALVED, COMPLEMENT, *multiplied(2, 3), *increased(1, 4, 7),
    *decreased(2, 3), *remainder(4),
)  # fmt: skip
"""For digits."""
