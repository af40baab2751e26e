"""Programs taken out of models' answers, written as a samples file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from iterpref_assets.core.evaluation.samples import read_samples
from iterpref_assets.core.evaluation.suite import Suite
from iterpref_assets.core.files import replacing


def sanitize_file(suite: Suite, answers: Path, out: Path) -> Iterator[str]:
    """Write each answer's program to `out`, as `task_id` and `solution`; what was taken, as text.

    Raises:
        InputError: where the file of answers is malformed.
    """
    samples = read_samples(answers, suite.facts.prompts, answers=suite.program).samples
    with replacing(out) as partial:
        partial.write_text(
            "".join(
                json.dumps({"task_id": each.task_id, "solution": each.code}) + "\n"
                for each in samples
            ),
            encoding="utf-8",
        )
    for each in samples:
        taken, given = len(each.code.splitlines()), len(each.answer.splitlines())
        yield f"{each.task_id} #{each.sample}: {taken} of {given} lines"
        yield "".join(f"    {line}\n" for line in each.code.splitlines()) or "    no program\n"
