"""Expected outputs: what the reference solutions return in the sandbox, kept on disk as plain data.

One Parquet file per benchmark content holds them in the sandbox's own encoding; neither writing nor
reading it runs anything, and nothing but `values.Encoded.decode` gives the bytes a meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.plus.data import PlusData, PlusProblem
from iterpref_assets.core.progress import track
from iterpref_assets.core.sandbox.runs import CallOutcome, CallRun
from iterpref_assets.core.sandbox.sandbox import StopAfter
from iterpref_assets.core.sandbox.values import Encoded, encode_arguments
from iterpref_assets.core.sandbox.verdicts import Limits

FORMAT_VERSION = 1
MEMORY_BYTES = 4 << 30
"""What evalplus 0.3.1 allows a program; one result of Mbpp/255 takes 644 MB."""

REFERENCE_LIMITS = Limits(cpu_seconds=600, wall_seconds=3600, memory_bytes=MEMORY_BYTES)

_SCHEMA = {
    "task_id": pl.String(),
    "part": pl.String(),
    "cpu_seconds": pl.Float64(),
    "kinds": pl.Binary(),
    "payloads": pl.List(pl.Binary()),
}
BASE, PLUS = "base", "plus"


class CallRunner(Protocol):
    """The part of the sandbox that these benchmarks need; callable from several threads."""

    def run_calls(
        self,
        code: str,
        entry_point: str,
        arguments: Sequence[tuple[Any, ...]] | bytes,
        limits: Limits | None = None,
        *,
        stop: StopAfter | None = None,
        keep: bool = True,
    ) -> CallRun:
        """Call `entry_point` with each tuple of `arguments` in turn."""
        ...


@dataclass(frozen=True, slots=True)
class Expected:
    """The reference's outputs for one set of tests, and the CPU seconds they took together."""

    outputs: list[Encoded]
    cpu_seconds: float


def expected_outputs(
    data: PlusData, sandbox: CallRunner, cache: Path, workers: int
) -> dict[tuple[str, str], Expected]:
    """The expected outputs by (task_id, part), read from `cache` or computed and kept there.

    Raises:
        InputError: where a reference solution does not answer every call.
    """
    path = cache / f"expected-{data.benchmark}-{data.sha256[:16]}-{FORMAT_VERSION}.parquet"
    if not path.exists():
        rows = _compute(data, sandbox, workers)
        cache.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        pl.DataFrame(rows, schema=_SCHEMA).write_parquet(new, compression="zstd")
        new.replace(path)
    return {
        (task_id, part): Expected(
            [
                Encoded(bytes([kind]), payload)
                for kind, payload in zip(kinds, payloads, strict=True)
            ],
            seconds,
        )
        for task_id, part, seconds, kinds, payloads in pl.read_parquet(path).iter_rows()
    }


def _compute(data: PlusData, sandbox: CallRunner, workers: int) -> list[dict[str, Any]]:
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
    sandbox: CallRunner, problem: PlusProblem, part: str, inputs: list[list[Any]]
) -> dict[str, Any]:
    run = sandbox.run_calls(
        problem.reference,
        problem.entry_point,
        encode_arguments(map(tuple, inputs)),
        REFERENCE_LIMITS,
    )
    outputs = [outcome.result for outcome in run.outcomes if outcome.result is not None]
    if len(outputs) != len(inputs):
        raise InputError(
            f"the reference solution of {problem.task_id} fails on {part} input {_failing(run)}",
            remedy="Check that the data file is unchanged and that the machine has 4 GiB to spare",
        )
    return {
        "task_id": problem.task_id,
        "part": part,
        "cpu_seconds": run.cpu_seconds,
        "kinds": b"".join(output.kind for output in outputs),
        "payloads": [output.payload for output in outputs],
    }


def _failing(run: CallRun) -> str:
    """Which call failed, and how."""
    first = next((i for i, o in enumerate(run.outcomes) if o.result is None), len(run.outcomes))
    outcome = run.outcomes[first] if first < len(run.outcomes) else CallOutcome()
    reason = run.not_loaded or run.ending or outcome.error_type or "no result"
    return f"{first} ({reason})"
