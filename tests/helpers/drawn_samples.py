"""Samples of problems, drawn from outside an event loop."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from iterpref_assets.core.conversations import Prompts
from iterpref_assets.core.engines.protocol import Engine
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sampling import SamplingConfig, draw_samples


def sample_problems(
    problems: Sequence[Problem],
    engine: Engine,
    config: SamplingConfig,
    prompts: Prompts,
    work_dir: Path,
) -> pl.DataFrame:
    """`draw_samples` with an engine that is entered here and freed."""

    async def run() -> pl.DataFrame:
        async with engine:
            return await draw_samples(problems, engine, config, prompts, work_dir)

    return asyncio.run(run())
