"""Which of a benchmark's tasks to score, by ids and ranges."""

from __future__ import annotations

from collections.abc import Sequence

from iterpref_assets.core.errors import InputError


def select_tasks(wanted: str, names: Sequence[str]) -> frozenset[str]:
    """The tasks that `wanted` names, parted by commas.

    Each part is a task_id, the number that one ends with, or a range of numbers, both ends
    included: `HumanEval/3,10-19,32`.

    Raises:
        InputError: where a part names no task.
    """
    numbers = {name: int(end) for name in names if (end := name.rpartition("/")[2]).isdecimal()}
    chosen: set[str] = set()
    for part in filter(None, map(str.strip, wanted.split(","))):
        first, dash, last = part.rpartition("/")[2].partition("-")
        if part in names:
            found = {part}
        elif first.isdecimal() and (last.isdecimal() or not dash):
            low, high = int(first), int(last or first)
            found = {name for name, number in numbers.items() if low <= number <= high}
        else:
            found = set[str]()
        if not found:
            raise InputError(
                f"{part!r} names no task of the benchmark",
                field="--tasks",
                remedy=f"Give ids such as {names[0]}, numbers, or ranges of numbers such as 0-9",
            )
        chosen |= found
    if not chosen:
        raise InputError(
            "names no task", field="--tasks", remedy="Give ids, numbers or ranges of numbers"
        )
    return frozenset(chosen)
