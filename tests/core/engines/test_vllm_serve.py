"""The client against the real `vllm serve`, on the CPU, with a small random checkpoint."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_doubles import generate_all, make_request
from vllm_server import serving

from iterpref_assets.core.engines.config import OpenAIConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import FinishReason, Request, Sampling
from iterpref_assets.core.errors import InputError

pytestmark = [pytest.mark.vllm, pytest.mark.slow]


@pytest.fixture(scope="module")
def served_url(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("serve") / "server.log"
    with serving(tiny_checkpoint, "tiny", log, "--dtype", "float32") as server:
        yield server.url


def asked(count: int, sampling: Sampling | None = None) -> list[Request]:
    return [make_request(f"k{seed}", seed=seed, sampling=sampling) for seed in range(count)]


def ask(url: str, *batches: list[Request], **options: Any):
    config = OpenAIConfig(base_url=url, **options)
    return generate_all(open_engine(config, "tiny"), *batches)


def test_every_request_is_answered_under_its_own_key(served_url: str) -> None:
    [completions] = ask(served_url, asked(8))
    assert [(each.key, each.seed) for each in completions] == [(f"k{n}", n) for n in range(8)]


def test_the_seed_decides_the_text(served_url: str) -> None:
    first, again = ask(served_url, asked(4), asked(4))
    assert [each.text for each in first] == [each.text for each in again]
    assert len({each.text for each in first}) > 1


def test_max_tokens_end_a_completion(served_url: str) -> None:
    [[completion]] = ask(served_url, asked(1, Sampling(1.0, 1.0, max_tokens=3)))
    assert completion.completion_tokens <= 3
    assert completion.finish_reason in (FinishReason.LENGTH, FinishReason.STOP)


def test_a_prompt_beyond_the_context_is_answered_without_text(served_url: str) -> None:
    [[completion]] = ask(served_url, [make_request("long", "Return the sum. " * 500)])
    assert completion.finish_reason is FinishReason.PROMPT_TOO_LONG


def test_a_prompt_that_leaves_too_little_room_for_the_answer_ends_as_too_long(
    served_url: str,
) -> None:
    [[completion]] = ask(served_url, asked(1, Sampling(1.0, 1.0, max_tokens=100_000)))
    assert completion.finish_reason is FinishReason.PROMPT_TOO_LONG
    assert completion.detail


def test_the_other_name_of_the_longest_completion_is_understood(served_url: str) -> None:
    requests = asked(4, Sampling(1.0, 1.0, max_tokens=3))
    [completions] = ask(served_url, requests, max_tokens_parameter="max_completion_tokens")
    assert {each.completion_tokens for each in completions} <= {1, 2, 3}


def test_extra_fields_reach_the_model(served_url: str) -> None:
    """With one token to choose from, sampling is greedy whatever the seed."""
    [completions] = ask(served_url, asked(4), extra_body={"top_k": 1})
    assert len({each.text for each in completions}) == 1


def test_a_wrong_model_name_stops_the_run_with_the_servers_words(served_url: str) -> None:
    with pytest.raises(InputError, match=r"404.*nobody") as caught:
        ask(served_url, asked(1), served_model="nobody")
    assert caught.value.field == "served_model"


def test_an_address_without_v1_is_named(served_url: str) -> None:
    with pytest.raises(InputError, match="404"):
        ask(served_url.removesuffix("/v1"), asked(1))


def test_a_bad_parameter_is_named_with_its_option(served_url: str) -> None:
    with pytest.raises(InputError) as caught:
        ask(served_url, asked(1), extra_body={"top_k": "many"})
    assert caught.value.field == "extra_body"
