"""Expected outputs: what the reference solutions return in the sandbox, kept on disk as plain data.

One Parquet file per benchmark content holds them in the sandbox's own encoding; neither writing nor
reading it runs anything, and nothing but `values.Encoded.decode` gives the bytes a meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

import polars as pl

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.evalplus.data import EvalPlusData, EvalPlusProblem
from iterpref_assets.core.files import replacing
from iterpref_assets.core.progress import track
from iterpref_assets.core.sandbox.outcomes import Runner
from iterpref_assets.core.sandbox.values import Encoded, encode_arguments
from iterpref_assets.core.sandbox.verdicts import Limits

FORMAT_VERSION = 5
MEMORY_BYTES = 4 << 30
"""What evalplus 0.3.1 allows a program; one result of Mbpp/255 takes 644 MB."""

REFERENCE_LIMITS = Limits(cpu_seconds=600, wall_seconds=3600, memory_bytes=MEMORY_BYTES)

_SCHEMA = {
    "task_id": pl.String(),
    "part": pl.String(),
    "cpu_seconds": pl.Float64(),
    "slowest_call": pl.Float64(),
    "kinds": pl.Binary(),
    "payloads": pl.List(pl.Binary()),
}
BASE, PLUS = "base", "plus"

TOO_SHORT_TO_TELL = 0.2
"""Seconds: calls that take so little together are all given evalplus's least limit."""

_TIMED = """{reference}

def timed(*arguments):
    import time
    started = time.process_time()
    {entry_point}(*arguments)
    return time.process_time() - started
"""


@dataclass(frozen=True)
class Expected:
    """The reference's outputs for one set of tests.

    There are fewer than inputs where the reference fails: then no program passes, nor does it.

    Attributes:
        cpu_seconds: CPU seconds that all calls took together.
        slowest_call: those of the call that took longest, or somewhat more.
    """

    kinds: bytes
    payloads: pl.Series
    cpu_seconds: float
    slowest_call: float

    @cached_property
    def outputs(self) -> list[Encoded]:
        """The outputs in the order of the calls; built when a program of the task is judged."""
        payloads = self.payloads.to_list()  # ten times as fast as going through the series
        pairs = zip(self.kinds, payloads, strict=True)
        return [Encoded(bytes([kind]), payload) for kind, payload in pairs]


def expected_outputs(
    data: EvalPlusData, sandbox: Runner, cache: Path, workers: int
) -> dict[tuple[str, str], Expected]:
    """The expected outputs by (task_id, part) of the tasks in `data`.

    They are read from `cache`; those of tasks that it lacks are computed and added there.
    """
    path = cache / f"expected-{data.benchmark}-{data.sha256[:16]}-{FORMAT_VERSION}.parquet"
    kept = pl.read_parquet(path) if path.exists() else pl.DataFrame(schema=_SCHEMA)
    missing = data.of_tasks(data.problems.keys() - set(kept["task_id"]))
    if missing.problems:
        new = pl.DataFrame(_compute(missing, sandbox, workers), schema=_SCHEMA)
        kept = pl.concat([kept, new])
        with replacing(path) as partial:
            kept.write_parquet(partial, compression="zstd")
    rows = kept.filter(pl.col("task_id").is_in(list(data.problems)))
    return {
        (task_id, part): Expected(kinds, payloads, seconds, slowest)
        for task_id, part, seconds, slowest, kinds, payloads in zip(
            *(rows[name] for name in _SCHEMA), strict=True
        )
    }


def require_complete(data: EvalPlusData, expected: Mapping[tuple[str, str], Expected]) -> None:
    """Refuse data with a reference solution that does not answer every call.

    Raises:
        InputError: naming the first such task and call.
    """
    for task_id, problem in data.problems.items():
        for part, inputs in ((BASE, problem.base_input), (PLUS, problem.plus_input)):
            answered = len(expected[task_id, part].kinds)
            if answered < len(inputs):
                raise InputError(
                    f"the reference solution of {task_id} fails on {part} input {answered}",
                    remedy="Check that the data file is unchanged and that the machine has "
                    "4 GiB to spare",
                )


def _compute(data: EvalPlusData, sandbox: Runner, workers: int) -> list[dict[str, Any]]:
    parts = [
        (problem, name, inputs)
        for problem in data.problems.values()
        for name, inputs in ((BASE, problem.base_input), (PLUS, problem.plus_input))
    ]
    with ThreadPoolExecutor(workers) as pool, track("Reference solutions", len(parts)) as tracker:
        futures = [pool.submit(_run_reference, sandbox, *part) for part in parts]
        rows: list[dict[str, Any]] = []
        for future in futures:
            rows.append(future.result())
            tracker.advance()
    return rows


def _run_reference(
    sandbox: Runner, problem: EvalPlusProblem, part: str, inputs: list[list[Any]]
) -> dict[str, Any]:
    run = sandbox.run_calls(
        problem.reference,
        problem.entry_point,
        encode_arguments(map(tuple, inputs)),
        REFERENCE_LIMITS,
    )
    results = (outcome.result for outcome in run.outcomes)
    outputs = [result for result in takewhile(lambda result: result is not None, results) if result]
    return {
        "task_id": problem.task_id,
        "part": part,
        "cpu_seconds": run.cpu_seconds,
        "slowest_call": _slowest_call(sandbox, problem, inputs, run.cpu_seconds),
        "kinds": b"".join(output.kind for output in outputs),
        "payloads": [output.payload for output in outputs],
    }


def _slowest_call(
    sandbox: Runner, problem: EvalPlusProblem, inputs: list[list[Any]], together: float
) -> float:
    """At least the CPU seconds of the reference's slowest call, its result's encoding included.

    What the calls took beyond the function itself may all be one's, whose result is a large one.
    """
    if together <= TOO_SHORT_TO_TELL:
        return together
    timed = _TIMED.format(reference=problem.reference, entry_point=problem.entry_point)
    run = sandbox.run_calls(timed, "timed", encode_arguments(map(tuple, inputs)), REFERENCE_LIMITS)
    seconds = [float(outcome.value()) for outcome in run.outcomes if outcome.result]
    return max(seconds, default=0.0) + max(together - sum(seconds), 0.0)
