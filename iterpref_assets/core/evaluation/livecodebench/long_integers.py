"""JSON with integers of any length, which Python refuses to read beyond 4,300 digits."""

from __future__ import annotations

import json
from typing import Any

_PYTHONS_LIMIT = 4000


def read_json(text: str) -> Any:
    """The JSON value that `text` holds.

    Raises:
        json.JSONDecodeError: where it is not JSON.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer that is too long for `int`
        return json.loads(text, parse_int=_integer)


def _integer(text: str) -> int:
    """The integer that `text` stands for, however long, read by halves."""
    if len(text) <= _PYTHONS_LIMIT:
        return int(text)
    if text.startswith("-"):
        return -_integer(text[1:])
    low = len(text) // 2
    return _integer(text[:-low]) * 10**low + _integer(text[-low:])
