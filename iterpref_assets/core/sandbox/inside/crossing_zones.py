"""Time zones of pytz and of Python's zoneinfo in the JSON of `crossing`, by their names."""

from __future__ import annotations

from typing import Any

_NAMED_BY = {"pytz": "zone", "zoneinfo": "key"}
"""The attribute in which each library's zones hold their names."""


def write(value: Any) -> list[Any] | None:
    """The node of a zone, or None where `value` is none or has no name."""
    library = type(value).__module__.partition(".")[0]
    if library not in _NAMED_BY:
        return None
    name = getattr(value, _NAMED_BY[library], None)
    return ["zone", library, name] if isinstance(name, str) else None


def read(library: str, name: str) -> Any:
    """The zone of a library, or None where it is not to be had."""
    return of_zoneinfo(name) if library == "zoneinfo" else of_pytz(name)


def of_pytz(name: str) -> Any:
    """The time zone of pytz that has this name, or None."""
    try:
        import pytz

        return pytz.timezone(name)
    except (ImportError, LookupError):
        return None


def of_zoneinfo(name: str) -> Any:
    """The time zone of Python's own that has this name, or None."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (LookupError, OSError):  # a folder of zones is no zone
        return None
