"""Continuous debugging against the same rounds with barriers, with vLLM and the real sandbox.

    python measurements/debugging_vllm.py CHECKPOINT [--trajectories N] [--repeats N]

Lab problems, one first completion each, drawn beforehand; both ways then debug the same failing
programs with the same engine, which is loaded and warm. Batches differ between the ways and with
them vLLM's arithmetic, so some completions do too. `debugging_continuous.py` has the same two ways
with an engine shaped like a GPU's.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import statistics
import tempfile
import time
from pathlib import Path

import polars as pl
from debugging_continuous import debug_in_rounds
from sandbox_samples import machine

from iterpref_assets.core.conversations import LAB_PROMPTS, Prompts
from iterpref_assets.core.debugging.loop import run_debugging
from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.engines.config import Dtype, VllmConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import Engine
from iterpref_assets.core.lab.problems import LabConfig, compose_shard
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sampling import SamplingConfig, draw_samples
from iterpref_assets.core.sandbox.sandbox import Sandbox

SAMPLING = SamplingConfig(samples_per_problem=1)
DEBUGGING = DebugConfig(max_in_flight=256)
PROMPTS = Prompts(LAB_PROMPTS)


def lab_problems(count: int) -> list[Problem]:
    """The first `count` problems of the lab's shards."""
    problems: list[Problem] = []
    shard = 0
    while len(problems) < count:
        problems += compose_shard(LabConfig(), f"lab-{shard:03}")
        shard += 1
    return problems[:count]


async def compare(
    problems: list[Problem], engine: Engine, sandbox: Sandbox, repeats: int, folder: Path
) -> None:
    """Print the trajectories per second of both ways, and their passing trajectories."""
    initial = await draw_samples(problems, engine, SAMPLING, PROMPTS, folder / "samples")
    judge = functools.partial(sandbox.judge, limits=None)
    rates: dict[str, list[float]] = {"continuous": [], "barriers": []}
    for repeat in range(repeats):
        started = time.monotonic()
        outcome = await run_debugging(
            problems, initial, engine, judge, DEBUGGING, PROMPTS, folder / f"continuous-{repeat}"
        )
        rates["continuous"].append(initial.height / (time.monotonic() - started))
        started = time.monotonic()
        versions = await debug_in_rounds(problems, initial, engine, judge, DEBUGGING)
        rates["barriers"].append(initial.height / (time.monotonic() - started))
        passed = outcome.versions.filter(pl.col("verdict") == "passed").height
        print(
            f"continuous {rates['continuous'][-1]:6.2f} trajectories/s, {passed} pass; "
            f"barriers {rates['barriers'][-1]:6.2f}, "
            f"{sum(verdict == 'passed' for *_, verdict in versions)} pass",
            flush=True,
        )
    medians = {way: statistics.median(each) for way, each in rates.items()}
    print(f"continuous is {medians['continuous'] / medians['barriers']:.2f}x as fast (medians)")


async def run(checkpoint: Path, trajectories: int, repeats: int) -> None:
    """Open engine and sandbox, and compare."""
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        async with open_engine(VllmConfig(dtype=Dtype.FLOAT32), checkpoint) as engine:
            problems = lab_problems(trajectories)
            await compare(problems, engine, sandbox, repeats, Path(folder))


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--trajectories", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(machine())
    asyncio.run(run(arguments.checkpoint, arguments.trajectories, arguments.repeats))


if __name__ == "__main__":
    main()
