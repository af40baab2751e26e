"""Writing a page: one HTML file with its style, its script and its rows, and nothing from outside.

The list (names, notes, filters) stands in the page as JSON, escaped for HTML. What each entry
shows follows in chunks, deflated and in base64, which the page unpacks when one is opened or
searched: so it opens quickly however many there are, and no byte of a program is near the markup.
A policy in the page lets its own script and style run by their digests, and forbids all else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from iterpref_assets.core.files import replacing
from iterpref_assets.core.pages.blocks import Block, Tone

_HERE = Path(__file__).parent
PER_CHUNK = 200
"""Entries that are unpacked together."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the list, and what is shown of it.

    Attributes:
        name: what it is called, and found by in the page's address.
        note: what it came to, in some words.
        tone: its colour.
        facets: for each of the page's filters, the values that it has.
        blocks: what is shown of it.
    """

    name: str
    note: str
    tone: Tone
    facets: Sequence[Sequence[str]]
    blocks: Sequence[Block]


def write_page(
    out: Path,
    title: str,
    filters: Sequence[str],
    entries: Iterable[Entry],
    facts: Iterable[str] = (),
) -> int:
    """Write a page to `out` and return how many entries it has; equal ones give equal bytes.

    Args:
        out: the HTML file.
        title: its heading.
        filters: what entries can be chosen by; one whose values are all the same is not shown.
        entries: in their order; read once, and packed as they come.
        facts: what stands below the heading; read after the entries.
    """
    names: list[str] = []
    notes: list[str] = []
    tones: list[str] = []
    values: list[list[Sequence[str]]] = [[] for _ in filters]
    waiting: list[Sequence[Block]] = []
    chunks: list[str] = []
    for entry in entries:
        names.append(_clean(entry.name))
        notes.append(_clean(entry.note))
        tones.append(entry.tone.value[0])
        for column, given in zip(values, entry.facets, strict=True):
            column.append([_clean(value) for value in given])
        waiting.append(entry.blocks)
        if len(waiting) == PER_CHUNK:
            chunks.append(_packed(waiting))
            waiting = []
    if waiting:
        chunks.append(_packed(waiting))
    index = {
        "names": names,
        "notes": notes,
        "tones": "".join(tones),
        "facets": [_facet(name, column) for name, column in zip(filters, values, strict=True)],
        "per_chunk": PER_CHUNK,
    }
    _write(out, title=title, facts=list(facts), index=index, chunks=chunks)
    return len(names)


def _facet(name: str, column: Sequence[Sequence[str]]) -> dict[str, object]:
    known = sorted({value for values in column for value in values}, key=_in_order)
    numbers = {value: number for number, value in enumerate(known)}
    of = [sorted({numbers[value] for value in values}) for values in column]
    return {"name": name, "values": known, "of": of}


def _in_order(value: str) -> tuple[bool, int, str]:
    """Numbers and ranges before words, and by what they count."""
    number = re.match(r"\d+", value)
    return (number is None, int(number[0]) if number else 0, value)


def _packed(entries: Sequence[Sequence[Block]]) -> str:
    content = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(_clean(content).encode())).decode()


def _clean(text: str) -> str:
    """A question mark for each lone half of a surrogate pair, which is no text to a browser."""
    return text.encode("utf-8", "replace").decode()


def _write(out: Path, **content: object) -> None:
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, undefined=StrictUndefined
    )
    # The template takes these two as they are; every other value is escaped.
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    stream = environment.get_template("page.html.jinja").stream(
        style=style,
        script=script,
        style_hash=_digest(style),
        script_hash=_digest(script),
        **content,
    )
    with replacing(out) as partial:
        stream.dump(str(partial), encoding="utf-8", errors="replace")


def _digest(content: str) -> str:
    """How a policy names what it lets run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
