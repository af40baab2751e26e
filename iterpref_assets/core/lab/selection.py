"""Choosing tests that no sibling program passes."""

from __future__ import annotations

import random
from collections.abc import Sequence

from iterpref_assets.core.lab.evaluation import Function
from iterpref_assets.core.lab.inputs import Arguments

MIN_RESULTS = 5
"""Different results a problem must have on the probe of its pool, so that no constant is right."""
PROBE = 40
SAMPLE = 6
"""Inputs among which each greedy step chooses."""


def varied(function: Function, pool: Sequence[Arguments]) -> bool:
    """Whether `function` has at least MIN_RESULTS different results on the head of the pool."""
    return len({repr(function(*arguments)) for arguments in pool[:PROBE]}) >= MIN_RESULTS


def select_inputs(
    function: Function,
    siblings: Sequence[Function],
    *,
    pool: Sequence[Arguments],
    edges: Sequence[Arguments],
    count: int,
    rng: random.Random,
) -> list[Arguments] | None:
    """At least `count` different inputs, all `edges` among them, that every sibling fails on.

    Greedy: while siblings survive, add the input of a small random sample that leaves the fewest,
    or the first of the pool that fails one. None where a sibling equals `function` on the pool.
    """
    chosen = list(edges)
    surviving = list(siblings)
    for arguments in chosen:
        surviving = _survivors(function, surviving, arguments)
    while surviving:
        steps = [(_survivors(function, surviving, a), a) for a in rng.sample(pool, SAMPLE)]
        remaining, arguments = min(steps, key=lambda step: len(step[0]))
        if len(remaining) == len(surviving):
            found = _first_difference(function, surviving[0], pool)
            if found is None:
                return None
            remaining, arguments = _survivors(function, surviving, found), found
        surviving = remaining
        chosen.append(arguments)
    spare = [arguments for arguments in rng.sample(pool, 2 * count) if arguments not in chosen]
    return chosen + spare[: max(count - len(chosen), 0)]


def _survivors(
    function: Function, siblings: Sequence[Function], arguments: Arguments
) -> list[Function]:
    expected = function(*arguments)
    return [sibling for sibling in siblings if sibling(*arguments) == expected]


def _first_difference(
    function: Function, sibling: Function, pool: Sequence[Arguments]
) -> Arguments | None:
    for arguments in pool:
        if function(*arguments) != sibling(*arguments):
            return arguments
    return None
