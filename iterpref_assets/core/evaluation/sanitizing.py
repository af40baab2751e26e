"""Programs taken out of models' answers, written as a samples file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from iterpref_assets.core.evaluation.samples import read_samples
from iterpref_assets.core.evaluation.suite import Suite
from iterpref_assets.core.files import replace_text


def sanitize_file(suite: Suite, answers: Path, out: Path) -> Iterator[str]:
    """Write each answer's program to `out`, as `task_id` and `solution`; what was taken, as text.

    Raises:
        InputError: where the file of answers is malformed.
    """
    samples = read_samples(answers, suite.facts.prompts, answers=suite.program).samples
    rows = ({"task_id": each.task_id, "solution": each.code} for each in samples)
    replace_text(out, "".join(json.dumps(row) + "\n" for row in rows))
    for each in samples:
        taken, given = len(each.code.splitlines()), len(each.answer.splitlines())
        yield f"{each.task_id} #{each.sample}: {taken} of {given} lines"
        yield "".join(f"    {line}\n" for line in each.code.splitlines()) or "    no program\n"
