"""Requests for the engine tests, and a way to send many at once."""

import asyncio
from collections.abc import Sequence

from iterpref_assets.core.engines.protocol import Completion, Engine, Request, Sampling
from iterpref_assets.core.prompts import problem_conversation


def make_request(
    key: str,
    prompt: str = "Add two numbers.",
    *,
    seed: int = 0,
    sampling: Sampling | None = None,
    stops: tuple[str, ...] = (),
) -> Request:
    messages = problem_conversation(prompt)
    return Request(key, messages, sampling or Sampling(1.0, 1.0, max_tokens=20), seed, stops)


def generate_all(engine: Engine, *batches: Sequence[Request]) -> list[list[Completion]]:
    """The completions of each batch; a batch is sent at once, after the one before it ended."""

    async def run() -> list[list[Completion]]:
        async with engine:
            return [
                await asyncio.gather(*(engine.generate(request) for request in batch))
                for batch in batches
            ]

    return asyncio.run(run())
