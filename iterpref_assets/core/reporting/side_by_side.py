"""Preference pairs side by side in one HTML page: D- is red in y-, D+ is green in y+."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import zip_longest
from pathlib import Path
from typing import Any

from iterpref_assets.core.files import replace_text
from iterpref_assets.core.pairs.characteristics import drawn_pairs
from iterpref_assets.core.pairs.difference import split_lines

_STYLE = """
body { font: 14px system-ui, sans-serif; margin: 2em auto; max-width: 100em; color: #1b1b1b; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; margin-bottom: 2.5em; }
th { text-align: left; padding: .3em .6em; border-bottom: 2px solid #999; }
td { font: 12px/1.5 monospace; white-space: pre-wrap; overflow-wrap: anywhere;
     vertical-align: top; padding: 0 .6em; }
td.minus { background: #ffd7d5; } td.plus { background: #ccf0d1; }
pre { background: #f4f4f4; padding: .6em; white-space: pre-wrap; }
""".strip()


def write_pairs_page(pair_table: Path, page: Path, most: int) -> None:
    """Write the page of up to `most` kept pairs of a table, drawn evenly, in problems' order."""
    shown = drawn_pairs(pair_table, most).sort("problem_id", "pair_id").to_dicts()
    replace_text(page, pairs_page(shown, f"{len(shown)} kept pairs"))


def pairs_page(pairs: Iterable[Mapping[str, Any]], title: str) -> str:
    """The page of some rows of tables.PAIRS; it needs no other file."""
    body = "\n".join(_pair(pair) for pair in pairs)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def aligned_lines(
    pair: Mapping[str, Any],
) -> Iterator[tuple[str | None, str | None, bool]]:
    """The lines of y- and y+ in rows, and whether they differ: shared lines stand side by side.

    None where one side has no line in a row.

    Raises:
        IndexError: where the lines that are not marked are not shared.
    """
    removed, added = set(pair["rejected_diff_lines"]), set(pair["chosen_diff_lines"])
    old, new = split_lines(pair["rejected"]), split_lines(pair["chosen"])
    i = j = 0
    while i < len(old) or j < len(new):
        gone, come = i, j
        while i in removed:
            i += 1
        while j in added:
            j += 1
        for left, right in zip_longest(old[gone:i], new[come:j]):
            yield left, right, True
        if i < len(old) or j < len(new):
            yield old[i], new[j], False
            i, j = i + 1, j + 1


def _pair(pair: Mapping[str, Any]) -> str:
    fate = f", dropped by {pair['dropped_by']}" if pair["dropped_by"] else ""
    rows = "\n".join(_row(*row) for row in aligned_lines(pair))
    return (
        f"<h2>{escape(pair['pair_id'])}{escape(fate)}</h2>\n"
        f"<details><summary>prompt</summary><pre>{escape(pair['prompt'])}</pre></details>\n"
        f"<table>\n<tr><th>y- (rejected), round {pair['rejected_round']}</th>"
        f"<th>y+ (chosen), round {pair['chosen_round']}</th></tr>\n{rows}\n</table>"
    )


def _row(left: str | None, right: str | None, differs: bool) -> str:
    return f"<tr>{_cell(left, 'minus', differs)}{_cell(right, 'plus', differs)}</tr>"


def _cell(line: str | None, kind: str, differs: bool) -> str:
    if line is None:
        return "<td></td>"
    return f'<td class="{kind}">{escape(line)}</td>' if differs else f"<td>{escape(line)}</td>"
