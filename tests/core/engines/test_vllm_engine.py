"""One vLLM engine for all of these tests: they are about one run of it.

It is started once, in a process of its own, as a worker would.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_doubles import make_request

from iterpref_assets.core.engines.config import Dtype, VllmConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request, Sampling

pytestmark = [pytest.mark.vllm, pytest.mark.slow]
CONFIG = VllmConfig(dtype=Dtype.FLOAT32, kv_cache_gib=0.25, max_num_batched_tokens=256)


class OpenEngine:
    """An engine that is kept open between calls."""

    def __init__(self, checkpoint: Path) -> None:
        self.runner = asyncio.Runner()
        self.engine = open_engine(CONFIG, checkpoint)

    def generate(self, *requests: Request) -> list[Completion]:
        async def run() -> list[Completion]:
            return await asyncio.gather(*(self.engine.generate(r) for r in requests))

        return self.runner.run(run())

    def close(self) -> None:
        async def leave() -> None:
            await self.engine.__aexit__(None, None, None)

        self.runner.run(leave())
        self.runner.close()


@pytest.fixture(scope="module")
def vllm_engine(tiny_checkpoint: Path) -> Iterator[OpenEngine]:
    engine = OpenEngine(tiny_checkpoint)
    yield engine
    engine.close()


def requests_named(prefix: str, count: int) -> list[Request]:
    """Prompts of 20 to 120 tokens; the same for every prefix."""
    return [
        make_request(f"{prefix}{n}", "Return the sum. " * (n % 10 + 1), seed=n)
        for n in range(count)
    ]


def test_in_float32_a_request_gets_the_same_text_at_every_batch_size(
    vllm_engine: OpenEngine,
) -> None:
    together = vllm_engine.generate(*requests_named("all", 64))
    some = vllm_engine.generate(*requests_named("some", 20))
    alone = [vllm_engine.generate(request)[0] for request in requests_named("alone", 8)]
    assert [answer.text for answer in together[:20]] == [answer.text for answer in some]
    assert [answer.text for answer in some[:8]] == [answer.text for answer in alone]
    assert len({answer.text for answer in together}) > 32


def test_more_seeded_prompt_tokens_than_a_step_takes_do_not_end_the_engine(
    vllm_engine: OpenEngine,
) -> None:
    """200 prompts of up to 120 tokens against 256 tokens a step."""
    answers = vllm_engine.generate(*requests_named("many", 200))
    assert [answer.key for answer in answers] == [f"many{n}" for n in range(200)]


def test_greedy_text_does_not_depend_on_the_seed(vllm_engine: OpenEngine) -> None:
    greedy = Sampling(0.0, 1.0, 20)
    one, two = vllm_engine.generate(
        make_request("greedy1", seed=1, sampling=greedy),
        make_request("greedy2", seed=2, sampling=greedy),
    )
    assert one.text == two.text


def test_a_completion_ends_with_the_token_that_completes_a_stop(vllm_engine: OpenEngine) -> None:
    """At temperature 1: greedily this model says one letter over and over."""
    varied = Sampling(1.0, 1.0, 40)
    [whole] = vllm_engine.generate(make_request("whole", seed=1, sampling=varied))
    stop = whole.text[20:24]
    [ended, other] = vllm_engine.generate(
        make_request("ended", seed=1, sampling=varied, stops=("\0", stop)),
        make_request("other", seed=1, sampling=varied),
    )
    assert other.text == whole.text
    assert whole.text.startswith(ended.text)
    assert ended.text.find(stop) == whole.text.find(stop) == 20
    assert stop not in ended.text[:-1]
    assert ended.finish_reason is FinishReason.STOP


def test_a_completion_is_cut_at_max_tokens_and_says_so(vllm_engine: OpenEngine) -> None:
    answers = vllm_engine.generate(
        *(make_request(f"cut{n}", seed=n, sampling=Sampling(1.0, 1.0, 3)) for n in range(20))
    )
    cut = [answer for answer in answers if answer.finish_reason is FinishReason.LENGTH]
    assert {answer.completion_tokens for answer in cut} == {3}


def test_a_prompt_that_fills_the_context_is_answered_without_text(vllm_engine: OpenEngine) -> None:
    [answer] = vllm_engine.generate(make_request("long", "x y " * 300))
    assert answer.finish_reason is FinishReason.PROMPT_TOO_LONG
    assert answer.prompt_tokens >= 256


def test_the_end_of_the_context_ends_a_completion(vllm_engine: OpenEngine) -> None:
    request = make_request("end", "x" * 200, sampling=Sampling(1.0, 1.0, 4000))
    [answer] = vllm_engine.generate(request)
    assert answer.prompt_tokens + answer.completion_tokens <= 256


def test_it_agrees_with_transformers_on_the_greedy_text(
    vllm_engine: OpenEngine, tiny_checkpoint: Path
) -> None:
    from engine_doubles import generate_all

    from iterpref_assets.core.engines.config import TransformersConfig

    greedy = Sampling(0.0, 1.0, 12)
    requests = [make_request(f"g{n}", "Add. " * (n + 1), sampling=greedy) for n in range(4)]
    reference = open_engine(TransformersConfig(dtype=Dtype.FLOAT32), tiny_checkpoint)
    [expected] = generate_all(reference, requests)
    assert vllm_engine.generate(*requests) == expected
