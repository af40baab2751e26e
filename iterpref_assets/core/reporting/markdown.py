"""Tables and preference pairs as Markdown, for the report and for asset metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from iterpref_assets.core.pairs.difference import pair_lines


def table(headers: Sequence[str], rows: Sequence[Sequence[str | float]]) -> str:
    """A Markdown table; columns of numbers are aligned to the right.

    Whole numbers get thousands separators; give other numbers as text in the form wanted.
    """
    numeric = [
        bool(rows) and all(isinstance(row[column], int | float) for row in rows)
        for column in range(len(headers))
    ]
    rule = ["---:" if right else "---" for right in numeric]
    lines = [list(headers), rule, *[[_cell(value) for value in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def pair_difference(pair: Mapping[str, Any]) -> str:
    """A row of tables.PAIRS as a diff from y- to y+: `-` marks D-, `+` marks D+."""
    body = pair_lines(pair)
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    rounds = f"round {pair['rejected_round']} (rejected) to {pair['chosen_round']} (chosen)"
    fate = f", dropped by {pair['dropped_by']}" if pair["dropped_by"] else ""
    return f"**{pair['pair_id']}**: {rounds}{fate}\n\n{fence}diff\n{body}\n{fence}\n"


def _cell(value: str | float) -> str:
    text = f"{value:,}" if isinstance(value, int | float) else value
    return text.replace("|", "\\|").replace("\n", " ")
