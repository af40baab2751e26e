"""docs/RELIABILITY.md from what injections recorded: `python -m faults.report`."""

import json
import os
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from faults.plan import STAGES, Fault, Form

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / "measurements" / "results" / "faults" / "injections.jsonl"
PAGE = ROOT / "docs" / "RELIABILITY.md"
Row = dict[str, object]

PROSE = Path(__file__).with_name("reliability.md")


def page(rows: Sequence[Row]) -> str:
    """The page: what is promised, how it is tried, and what came of it."""
    return PROSE.read_text(encoding="utf-8") + "".join(_results(rows))


def _results(rows: Sequence[Row]) -> Iterator[str]:
    if not rows:
        yield "\n## What came of it\n\nNo injection is recorded.\n"
        return
    landed = [row for row in rows if row["landed"]]
    failed = [row for row in rows if row["problems"]]
    yield (
        f"\n## What came of it\n\n{len(rows)} injections, {len(landed)} of which met a launch or a "
        f"file (the others came after the launch was over); {len(failed)} broke a promise.\n"
        f"Commits {_some(rows, 'commit')}; {_some(rows, 'date')}; {_some(rows, 'machine')}.\n\n"
    )
    counts = Counter((row["asset"], row["form"], row["fault"]) for row in landed)
    yield f"| stage | form | {' | '.join(Fault)} |\n|---|---|{'---|' * len(Fault)}\n"
    for stage in STAGES:
        for form in Form:
            cells = [str(counts[stage.asset, form, fault] or "-") for fault in Fault]
            if set(cells) != {"-"}:
                yield f"| `{stage.asset}` | {form} | {' | '.join(cells)} |\n"
    broken = {row["asset"] for row in landed}
    if whole := [f"`{stage.asset}`" for stage in STAGES if stage.asset not in broken]:
        yield f"\nNot broken yet: {', '.join(whole)}.\n"
    for row in failed:
        yield f"\n`{row['name']}` ({row['detail']}): {'; '.join(map(str, row['problems']))}\n"


def _some(rows: Sequence[Row], name: str) -> str:
    return ", ".join(sorted({str(row[name]) for row in rows}))


def machine() -> str:
    """What the injections run on."""
    return f"{os.cpu_count()} cores ({platform.machine()})"


if __name__ == "__main__":
    lines = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.is_file() else []
    PAGE.write_text(page([json.loads(line) for line in lines]), encoding="utf-8")
    print(PAGE.relative_to(ROOT))
