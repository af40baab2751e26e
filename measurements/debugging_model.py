"""What a real model solves by debugging, by options of its prompts, beside independent samples.

    python measurements/debugging_model.py MODEL --problems PROBLEMS.parquet --work FOLDER \
        [--rounds 5] [--samples 1] [--temperature 0.8] [--independent] [--option NAME=VALUE ...]

`PROBLEMS.parquet` is an artifact of `seed_problems`. `--option` sets fields of `PromptConfig`;
`--independent` draws `rounds` + 1 samples of each problem instead of debugging one. Finished work
is kept in `--work` and never repeated: run the same command again after an interruption.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

import polars as pl
from sandbox_samples import machine

from iterpref_assets.core import tables
from iterpref_assets.core.conversations import PromptConfig, Prompts
from iterpref_assets.core.debugging.loop import DebugOutcome, run_debugging
from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.engines.config import Dtype, VllmConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import Engine
from iterpref_assets.core.frames import frame_to_problems
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sampling import SamplingConfig, draw_samples
from iterpref_assets.core.sandbox.sandbox import Sandbox


def engine_of(model: Path, threads: int) -> Engine:
    """VLLM in bfloat16, with room for the longest conversations."""
    config = VllmConfig(
        dtype=Dtype.BFLOAT16,
        max_model_len=4096,
        max_num_seqs=128,
        kv_cache_gib=2,
        cpu_threads=threads,
    )
    return open_engine(config, model)


async def measure(
    arguments: argparse.Namespace, problems: list[Problem], prompts: Prompts
) -> DebugOutcome:
    """Sample and debug."""
    heat, tokens = arguments.temperature, arguments.max_tokens
    samples = arguments.rounds + 1 if arguments.independent else arguments.samples
    sampling = SamplingConfig(temperature=heat, max_tokens=tokens, samples_per_problem=samples)
    debugging = DebugConfig(
        temperature=heat,
        max_tokens=tokens,
        max_rounds=0 if arguments.independent else arguments.rounds,
        judge_workers=4,
    )
    work: Path = arguments.work
    with Sandbox() as sandbox:
        async with engine_of(arguments.model, arguments.threads) as engine:
            first = await draw_samples(problems, engine, sampling, prompts, work / "samples")
            return await run_debugging(
                problems, first, engine, sandbox.judge, debugging, prompts, work / "debugging"
            )


def report(outcome: DebugOutcome, problems: int, *, independent: bool) -> None:
    """Print the problems solved within so many rounds or samples, and answers by kind."""
    passed = outcome.versions.filter(pl.col("verdict") == "passed")
    order = "sample" if independent else "round"
    first = passed.group_by("problem_id").agg(pl.col(order).min())[order]
    most = int(outcome.versions[order].max() or 0)  # pyright: ignore[reportArgumentType]
    solved = [int((first <= number).sum()) for number in range(most + 1)]
    print(f"{problems} problems, solved by {order} 0 to {most}: {', '.join(map(str, solved))}")
    figures = {name: outcome.figures[name] for name in SHOWN}
    print(json.dumps(figures))
    print(f"debugging calls: {outcome.completions.height}")


SHOWN = ("answers", "no_program", "debugged_versions", "unchanged", "tried_before", "tests_shown")


def option(text: str) -> tuple[str, object]:
    """`name=value`, the value as JSON or as plain text."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--problems", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--max-tokens", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--independent", action="store_true")
    parser.add_argument("--option", type=option, action="append", default=[])
    arguments = parser.parse_args()
    prompts = Prompts(PromptConfig.model_validate(dict(arguments.option)))
    problems = frame_to_problems(tables.read_table(arguments.problems, tables.PROBLEMS))
    print(machine())
    print(json.dumps({"temperature": arguments.temperature, **prompts.identity()}), flush=True)
    outcome = asyncio.run(measure(arguments, problems, prompts))
    report(outcome, len(problems), independent=arguments.independent)


if __name__ == "__main__":
    main()
