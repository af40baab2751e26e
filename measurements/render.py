"""Writes docs/MEASURED.md from the rows under measurements/results/.

A row is a JSON object a line: topic, what was measured, the command, the commit, the machine, what
ran beside, the date and the result. A measurement is added by adding its row. `harnesses.json` sums
up what the rows tell of each benchmark beside its own harness.
"""

from __future__ import annotations

import json
from pathlib import Path

from iterpref_assets.core.files import replace_text

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "measurements" / "results"
PAGE = ROOT / "docs" / "MEASURED.md"
HARNESSES = RESULTS / "harnesses.json"
TOPICS = {
    "whole": "The whole",
    "evaluation": "Evaluation",
    "sandbox": "Sandbox",
    "generation": "Generation and debugging",
    "pairs": "Pairs",
    "training": "Training",
    "pages": "Pages to look at",
    "orchestration": "Orchestration",
}
HEAD = """\
# Measured

`python measurements/render.py` writes this page from the rows in `measurements/results/`. Each row
names the command that prints its result; commands without a folder lie in `measurements/`.
`make bench` runs those again that need neither a GPU nor a real model, beside the peers they are
compared with. Rows of `dg launch` ran with the settings of their commit and its partitions, and say
where they differ from examples/. "Quiet" means that no other program ran on the machine. Results
differ between machines.
"""


def rows() -> list[dict[str, str]]:
    """Every row, in the order of the files and their lines."""
    return [
        json.loads(line)
        for path in sorted(RESULTS.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def page(results: list[dict[str, str]]) -> str:
    """The page: a table for each topic.

    Raises:
        KeyError: where a row has no such column, or a topic that is not known.
    """
    parts = [HEAD]
    for row in results:
        TOPICS[row["topic"]]
    for topic, title in TOPICS.items():
        mine = [row for row in results if row["topic"] == topic]
        if mine:
            parts.append(f"\n## {title}\n\n{_table(mine)}")
        if topic == "evaluation":
            parts.append(f"\n### Each benchmark beside its own harness\n\n{_harnesses()}")
    return "".join(parts)


def _harnesses() -> str:
    """A line for each benchmark, from the columns of `harnesses.json`."""
    table: list[dict[str, str]] = json.loads(HARNESSES.read_text(encoding="utf-8"))
    lines = [list(table[0]), ["---"] * len(table[0]), *(list(each.values()) for each in table)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _table(mine: list[dict[str, str]]) -> str:
    lines = ["| what | command | result | commit | date | machine |", "|---|---|---|---|---|---|"]
    for row in mine:
        place = f"{row['machine']}; {row['beside']}"
        cells = (
            row["what"],
            f"`{row['command']}`",
            row["result"],
            row["commit"],
            row["date"],
            place,
        )
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace_text(PAGE, page(rows()))
    print(PAGE.relative_to(ROOT))
