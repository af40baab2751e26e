"""No event of Dagster's database grows with the data that it tells of."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

LARGEST_EVENT = 64 * 1024
"""Bytes; what is larger makes every page that lists events slow."""
FOR_METADATA = 56 * 1024
_SMALL = 1024
"""What is below this is always shown."""


LONGEST_TEXT = 3000
"""Characters of a message, which an event holds more than once; each may be six bytes there."""


def shortened(text: str) -> str:
    """A message without its middle where it is long: a place starts it, a remedy ends it."""
    if len(text) <= LONGEST_TEXT:
        return text
    half = LONGEST_TEXT // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]} ... ({left_out:,} characters left out) ... {text[-half:]}"


def within_an_event(
    metadata: Mapping[str, dg.MetadataValue], where: str
) -> dict[str, dg.MetadataValue]:
    """The metadata in their order, without those for which an event has no room.

    In place of one of these stands its size and `where` it is.
    """
    sizes = {name: len(dg.serialize_value(value)) for name, value in metadata.items()}
    room = FOR_METADATA - sum(size for size in sizes.values() if size < _SMALL)
    shown: dict[str, dg.MetadataValue] = {}
    for name, value in metadata.items():
        if sizes[name] < _SMALL or sizes[name] <= room:
            shown[name] = value
            room -= sizes[name] if sizes[name] >= _SMALL else 0
        else:
            text = f"{sizes[name] // 1024} KiB, too large to be shown here: see {where}"
            shown[name] = dg.MetadataValue.text(text)
    return shown
