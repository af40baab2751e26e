"""Continuous debugging against the same rounds with barriers, with vLLM and the real sandbox.

    python measurements/debugging_vllm.py CHECKPOINT [--trajectories N] [--repeats N]
    python measurements/debugging_vllm.py MODEL --problems PROBLEMS.parquet

Lab problems, or those of `PROBLEMS.parquet`, an artifact of `seed_problems`, which are asked of a
real model: in bfloat16, with the default prompts. One first completion each is drawn beforehand;
both ways then debug the same failing programs with the same engine, which is loaded and warm.
Batches differ between the ways and with them vLLM's arithmetic, so some completions do too.
`debugging_continuous.py` has the same two ways with an engine shaped like a GPU's.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from debugging_continuous import debug_in_rounds
from debugging_model import bfloat16_engine
from sandbox_samples import machine

from iterpref_assets.core import tables
from iterpref_assets.core.conversations import LAB_PROMPTS, PromptConfig, Prompts
from iterpref_assets.core.debugging.loop import run_debugging
from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.engines.config import Dtype, VllmConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import Engine
from iterpref_assets.core.frames import frame_to_problems
from iterpref_assets.core.lab.problems import LabConfig, compose_shard
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sampling import SamplingConfig, draw_samples
from iterpref_assets.core.sandbox.sandbox import Sandbox


@dataclass(frozen=True)
class Asked:
    """Problems, and how a model of theirs is asked."""

    problems: list[Problem]
    prompts: Prompts
    engine: VllmConfig
    sampling: SamplingConfig
    debugging: DebugConfig


def asked_of_lab(count: int) -> Asked:
    """The lab's own problems, in float32."""
    return Asked(
        lab_problems(count),
        Prompts(LAB_PROMPTS),
        VllmConfig(dtype=Dtype.FLOAT32),
        SamplingConfig(samples_per_problem=1),
        DebugConfig(max_in_flight=256),
    )


def asked_of_real(file: Path, count: int, threads: int | None) -> Asked:
    """The first problems of a file, as debugging_model.py asks for them."""
    problems = frame_to_problems(tables.read_table(file, tables.PROBLEMS))[:count]
    return Asked(
        problems,
        Prompts(PromptConfig()),
        bfloat16_engine(threads),
        SamplingConfig(samples_per_problem=1, temperature=0.8, max_tokens=512),
        DebugConfig(max_in_flight=256, temperature=0.8, max_tokens=512),
    )


def lab_problems(count: int) -> list[Problem]:
    """The first `count` problems of the lab's shards."""
    problems: list[Problem] = []
    shard = 0
    while len(problems) < count:
        problems += compose_shard(LabConfig(), f"lab-{shard:03}")
        shard += 1
    return problems[:count]


async def compare(
    asked: Asked, engine: Engine, sandbox: Sandbox, repeats: int, folder: Path
) -> None:
    """Print the trajectories per second of both ways, and their passing trajectories."""
    problems, prompts, debugging = asked.problems, asked.prompts, asked.debugging
    initial = await draw_samples(problems, engine, asked.sampling, prompts, folder / "samples")
    judge = functools.partial(sandbox.judge, limits=None)
    rates: dict[str, list[float]] = {"continuous": [], "barriers": []}
    for repeat in range(repeats):
        started = time.monotonic()
        outcome = await run_debugging(
            problems, initial, engine, judge, debugging, prompts, folder / f"continuous-{repeat}"
        )
        rates["continuous"].append(initial.height / (time.monotonic() - started))
        started = time.monotonic()
        versions = await debug_in_rounds(problems, initial, engine, judge, debugging, prompts)
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


async def run(checkpoint: Path, asked: Asked, repeats: int) -> None:
    """Open engine and sandbox, and compare."""
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        async with open_engine(asked.engine, checkpoint) as engine:
            await compare(asked, engine, sandbox, repeats, Path(folder))


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--problems", type=Path, help="ask a real model for these")
    parser.add_argument("--threads", type=int, help="of the engine of a real model")
    parser.add_argument("--trajectories", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(machine())
    asked = (
        asked_of_lab(arguments.trajectories)
        if arguments.problems is None
        else asked_of_real(arguments.problems, arguments.trajectories, arguments.threads)
    )
    asyncio.run(run(arguments.checkpoint, asked, arguments.repeats))


if __name__ == "__main__":
    main()
