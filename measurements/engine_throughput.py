"""Tokens per second of vLLM through our engine, against vLLM's own `LLM.generate`.

    python measurements/engine_throughput.py CHECKPOINT [--prompts N] [--repeats N] [--dtype DTYPE]

Each repeat starts both, one after the other, each in a process of its own, with the same settings
on the same prompts, seeds, lengths and threads (left to itself our engine takes one thread fewer,
which the sandbox needs). The first generation in a process warms up and is not
counted. Tokens per second of CPU time are printed beside those of wall time, because they hold on
a machine that others use as well.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from iterpref_assets.core.engines.config import Dtype, VllmConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import Request, Sampling
from iterpref_assets.core.prompts import problem_conversation, problem_prompt

SAMPLING = Sampling(temperature=1.0, max_tokens=150)
WAYS = ("engine", "LLM.generate")


def requests(count: int, name: str) -> list[Request]:
    """Prompts whose beginnings differ, so that none is in the prefix cache."""
    return [
        Request(
            key=f"{name}{number}",
            messages=problem_conversation(
                problem_prompt(
                    f"Number {name} {number}: return the sum of the even values that are larger "
                    f"than {number}, or {number % 7} where there are none.",
                    f"def keep_{number}(values):",
                )
            ),
            sampling=SAMPLING,
            seed=number,
        )
        for number in range(count)
    ]


def engine_config(dtype: Dtype) -> VllmConfig:
    """As many threads as cores for both."""
    return VllmConfig(dtype=dtype, cpu_threads=os.cpu_count())


def through_engine(checkpoint: Path, count: int, config: VllmConfig) -> dict[str, float]:
    """Generate through `open_engine`."""

    async def run() -> dict[str, float]:
        async with open_engine(config, checkpoint) as engine:

            async def generate(name: str) -> int:
                wanted = [engine.generate(request) for request in requests(count, name)]
                return sum(answer.completion_tokens for answer in await asyncio.gather(*wanted))

            await generate("warm")
            clock = Clock()
            return clock.rates(await generate("measured"))

    return asyncio.run(run())


def through_llm(checkpoint: Path, count: int, config: VllmConfig) -> dict[str, float]:
    """Generate with `LLM.generate`, with the settings that our engine gives vLLM."""
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    from vllm import LLM, SamplingParams

    from iterpref_assets.core.engines.checkpoint import Turns

    turns = Turns(checkpoint, trust_remote_code=False)
    llm = LLM(
        str(checkpoint),
        dtype=config.dtype.value,
        enforce_eager=True,
        enable_chunked_prefill=False,
        max_num_seqs=config.max_num_seqs,
        kv_cache_memory_bytes=1 << 30,
    )

    def generate(name: str) -> int:
        wanted = requests(count, name)
        outputs = llm.generate(
            [{"prompt_token_ids": turns.encode(request.messages)} for request in wanted],
            [
                SamplingParams(
                    temperature=request.sampling.temperature,
                    max_tokens=request.sampling.max_tokens,
                    seed=request.seed,
                    stop_token_ids=list(turns.stop_ids),
                )
                for request in wanted
            ],
            use_tqdm=False,
        )
        return sum(len(output.outputs[0].token_ids) for output in outputs)

    generate("warm")
    clock = Clock()
    return clock.rates(generate("measured"))


class Clock:
    """Wall and CPU time from its making on."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def rates(self, tokens: int) -> dict[str, float]:
        """Tokens, and tokens per second of either."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return {"tokens": tokens, "per second": tokens / wall, "per CPU second": tokens / cpu}


def measure(way: str, arguments: argparse.Namespace) -> dict[str, float]:
    """The rates of one way in a process of its own."""
    command = [sys.executable, __file__, str(arguments.checkpoint), "--only", way]
    command += ["--prompts", str(arguments.prompts), "--dtype", arguments.dtype]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.strip().splitlines()[-1])


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--prompts", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--dtype", type=Dtype, default=Dtype.FLOAT32)
    parser.add_argument("--only", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    ways: dict[str, Callable[[Path, int, VllmConfig], dict[str, float]]] = {
        WAYS[0]: through_engine,
        WAYS[1]: through_llm,
    }
    if arguments.only:
        config = engine_config(arguments.dtype)
        print(json.dumps(ways[arguments.only](arguments.checkpoint, arguments.prompts, config)))
        return
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(arguments.repeats):
        for way in WAYS:
            found[way].append(measure(way, arguments))
            print(way, found[way][-1], flush=True)
    for unit in ("per second", "per CPU second"):
        medians = {way: statistics.median(r[unit] for r in found[way]) for way in WAYS}
        ratio = medians["engine"] / medians["LLM.generate"]
        print(f"tokens {unit}, medians: {medians}; the engine has {ratio:.2f}x")


if __name__ == "__main__":
    main()
