"""What vLLM does not take, or breaks off, ends one request; the engine itself is a double."""

import os
from types import SimpleNamespace
from typing import Any

import pytest
from engine_doubles import make_request

from iterpref_assets.core.engines.config import VllmConfig
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request
from iterpref_assets.core.engines.vllm_backend import (
    VllmBackend,
    _arguments,
    _set_environment,
    require_known,
)
from iterpref_assets.core.errors import InputError

FLASHINFERS_SAMPLER = "VLLM_USE_FLASHINFER_SAMPLER"


class Turns:
    """Two tokens a prompt; a completion's text is its token ids."""

    stop_ids = (0,)

    def encode(self, messages: Any) -> list[int]:
        return [1, 2]

    def completion(self, request: Request, prompt_tokens: int, ids: Any, reason: FinishReason):
        return Completion(request.key, str(ids), prompt_tokens, len(ids), reason, request.seed)


class RefusingEngine:
    def add_request(self, key: str, *arguments: Any) -> None:
        if key == "bad":
            raise ValueError("token id 9 is out of vocabulary")


def backend_with(engine: Any) -> VllmBackend:
    backend = VllmBackend.__new__(VllmBackend)
    backend._engine, backend._turns = engine, Turns()
    backend._context, backend._requests = 256, {}
    return backend


@pytest.mark.parametrize(
    ("told", "reason", "text"),
    [
        ("stop", FinishReason.STOP, "[7]"),
        ("length", FinishReason.LENGTH, "[7]"),
        ("abort", FinishReason.UNAVAILABLE, ""),
        ("error", FinishReason.UNAVAILABLE, ""),
        (None, FinishReason.UNAVAILABLE, ""),
    ],
)
def test_a_request_that_vllm_breaks_off_has_no_answer(
    told: str | None, reason: FinishReason, text: str
) -> None:
    backend = backend_with(None)
    backend._requests["k"] = make_request("k"), 2
    made = SimpleNamespace(finish_reason=told, token_ids=[7])
    completion = backend._finished(SimpleNamespace(request_id="k", outputs=[made]))
    assert (completion.finish_reason, completion.text) == (reason, text)
    assert not backend.has_work()


@pytest.mark.vllm
@pytest.mark.slow
def test_a_request_that_vllm_does_not_take_ends_alone() -> None:
    backend = backend_with(RefusingEngine())
    assert backend.add(make_request("good")) is None
    completion = backend.add(make_request("bad"))
    assert completion is not None
    assert completion.finish_reason is FinishReason.REJECTED
    assert "out of vocabulary" in completion.detail
    assert list(backend._requests) == ["good"]


@pytest.mark.vllm
@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kv_cache_dtyp": "fp8"}, "options.kv_cache_dtyp': .*no such argument.*kv_cache_dtype"),
        ({"kv_cache_dtype": "fp7"}, "options.kv_cache_dtype': Input should be 'auto'"),
        ({"enable_lora": "perhaps"}, "options.enable_lora': .*boolean"),
        ({"speculative_config": ["ngram"]}, "options.speculative_config': .*dictionary"),
    ],
    ids=["unknown", "not among the values", "not a boolean", "not a table"],
)
def test_options_are_checked_by_the_types_of_vllm(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        require_known(options)


@pytest.mark.vllm
@pytest.mark.slow
def test_options_reach_the_arguments_of_vllm() -> None:
    from vllm.engine.arg_utils import EngineArgs

    options: dict[str, Any] = {
        "kv_cache_dtype": "fp8",
        "speculative_config": {"method": "ngram", "num_speculative_tokens": 2},
    }
    require_known(options)
    arguments = EngineArgs(**_arguments(VllmConfig(options=options), "model", on_cpu=False))
    assert {name: getattr(arguments, name) for name in options} == options


@pytest.mark.parametrize(
    ("set_by_the_user", "used"), [({}, "0"), ({FLASHINFERS_SAMPLER: "1"}, "1")]
)
def test_a_sampler_that_takes_no_seeds_is_left_off_unless_the_user_wants_it(
    monkeypatch: pytest.MonkeyPatch, set_by_the_user: dict[str, str], used: str
) -> None:
    variables = dict(set_by_the_user)
    monkeypatch.setattr(os, "environ", variables)
    _set_environment(VllmConfig())
    assert variables[FLASHINFERS_SAMPLER] == used
