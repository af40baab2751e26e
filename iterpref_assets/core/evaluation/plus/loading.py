"""Loading HumanEval+ and MBPP+ again without evalplus's start-up, which takes over a second.

What evalplus's loaders made of a file is kept beside the expected outputs, by the file's content
and evalplus's version: plain values in `marshal`'s form, written and read by this module alone.
"""

from __future__ import annotations

import hashlib
import marshal
from dataclasses import fields
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path

from iterpref_assets.core.evaluation.plus.data import (
    PlusBenchmark,
    PlusData,
    PlusProblem,
    load_plus,
)
from iterpref_assets.core.files import read_bytes, replacing

_row = attrgetter(*[field.name for field in fields(PlusProblem)])
_FORMAT = 2
"""Of marshal: the one without references, so that equal data give equal bytes."""


def load_plus_again(benchmark: PlusBenchmark, path: Path, cache: Path) -> PlusData:
    """The benchmark at `path`, from `cache` where it was loaded before.

    Raises:
        InputError: where the file is missing or is not such a benchmark.
    """
    content = read_bytes(path, "Give the benchmark's file (.jsonl or .jsonl.gz)")
    sha256 = hashlib.sha256(content).hexdigest()
    kept = cache / f"data-{benchmark}-{sha256[:16]}-evalplus-{version('evalplus')}.marshal"
    if kept.exists():
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        problems = [PlusProblem(*row) for row in marshal.loads(kept.read_bytes())]  # noqa: S302
        return PlusData(benchmark, {each.task_id: each for each in problems}, sha256, md5)
    data = load_plus(benchmark, path)
    rows = [_row(problem) for problem in data.problems.values()]
    with replacing(kept) as partial:
        partial.write_bytes(marshal.dumps(rows, _FORMAT))
    return data
