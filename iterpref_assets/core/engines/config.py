"""Which engine generates, as plain settings; loading them imports no engine.

Every engine takes seeds per request, and `core.seeding` makes them depend on what is drawn alone.
What each then promises about getting the same text again is said where its class is.
"""

from __future__ import annotations

import json
import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import Record


class EngineKind(StrEnum):
    """The engines there are."""

    VLLM = "vllm"
    OPENAI = "openai"
    TRANSFORMERS = "transformers"
    REPLAY = "replay"


class Dtype(StrEnum):
    """The precision of weights and activations."""

    AUTO = "auto"
    """The checkpoint's own."""
    FLOAT32 = "float32"
    """4 bytes a number."""
    BFLOAT16 = "bfloat16"
    """2 bytes, with the range of float32."""
    FLOAT16 = "float16"
    """2 bytes, with more digits and less range than bfloat16."""


class VllmConfig(Record):
    """vLLM inside this process, on the CPU or on GPUs."""

    kind: Literal[EngineKind.VLLM] = Field(EngineKind.VLLM, description="Which kind of engine")
    dtype: Dtype = Field(
        Dtype.AUTO,
        description="Precision. On the CPU, float32 gives the same text at every batch size "
        "(measured)",
    )
    max_model_len: int | None = Field(
        None, gt=1, description="Longest prompt plus completion, tokens; unset is the model's limit"
    )
    max_num_seqs: int = Field(256, gt=0, description="Completions generated at once")
    max_num_batched_tokens: int | None = Field(
        None, gt=0, description="Tokens computed in one step; unset is vLLM's choice"
    )
    gpu_memory_utilization: float = Field(
        0.9, gt=0, le=1, description="Share of the GPU's memory that vLLM takes"
    )
    kv_cache_gib: float | None = Field(
        None,
        gt=0,
        description="Memory of the key-value cache, GiB. Unset is 1 on the CPU, and on a GPU what "
        "is left of gpu_memory_utilization",
    )
    enforce_eager: bool = Field(
        False, description="Neither compile nor capture graphs; the CPU never does"
    )
    enable_prefix_caching: bool = Field(
        True, description="Compute shared beginnings of prompts once"
    )
    tensor_parallel_size: int = Field(1, gt=0, description="GPUs that share the model")
    batch_invariant: bool = Field(
        False, description="vLLM's slower GPU mode whose results do not depend on the batch"
    )
    cpu_threads: int | None = Field(
        None,
        gt=0,
        description="Threads of arithmetic on the CPU. Unset leaves one core to the sandbox: every "
        "operation waits for its slowest thread, and programs under test hold a core",
    )
    trust_remote_code: bool = Field(
        default=False, description="Run code that comes with the checkpoint"
    )
    options: dict[str, JsonValue] = Field(
        default={},
        description='Any other arguments of vLLM\'s engine, such as {kv_cache_dtype = "fp8"}, '
        "quantization or speculative_config; vLLM's own types check them",
    )

    @field_validator("options")
    @classmethod
    def _nothing_set_by_the_project(cls, options: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if taken := sorted(_SET_FOR_VLLM & set(options)):
            raise ValueError(f"{taken[0]} is set already, by a setting of its own or always alike")
        return options

    @model_serializer(mode="wrap")
    def _without_empty_options(self, dump: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        """What was generated before there were options is that of an engine without any."""
        dumped = dump(self)
        if not self.options:
            del dumped["options"]
        return dumped


_SET_FOR_VLLM = frozenset(
    {*VllmConfig.model_fields, "model", "skip_tokenizer_init", "disable_log_stats",
     "use_tqdm_on_load", "enable_chunked_prefill", "kv_cache_memory_bytes", "seed"}
)  # fmt: skip


class MaxTokensParameter(StrEnum):
    """How a server calls the longest completion."""

    MAX_TOKENS = "max_tokens"
    """As most servers do."""
    MAX_COMPLETION_TOKENS = "max_completion_tokens"
    """As reasoning models want it, which know this name alone."""


class Omittable(StrEnum):
    """What a request can do without, for servers that refuse it."""

    TEMPERATURE = "temperature"
    """The server's own temperature holds."""
    TOP_P = "top_p"
    """The server's own share of the probability holds."""
    SEED = "seed"
    """The server draws as it likes: the same run gives other completions."""


_SET_ELSEWHERE = frozenset(
    {"model", "messages", "reasoning_effort", "stream", "n", *MaxTokensParameter, *Omittable}
)


class OpenAIConfig(Record):
    """A server that speaks OpenAI's chat completions, such as `vllm serve`."""

    kind: Literal[EngineKind.OPENAI] = Field(EngineKind.OPENAI, description="Which kind of engine")
    base_url: str = Field(
        "http://localhost:8000/v1", description="Where it listens, up to and including /v1"
    )
    served_model: str | None = Field(
        None, description="The model's name there; unset is the name of the generator or judge"
    )
    api_key_env: str = Field(
        "OPENAI_API_KEY", description="The environment variable that holds the key; unset: no key"
    )
    max_tokens_parameter: MaxTokensParameter = Field(
        MaxTokensParameter.MAX_TOKENS, description="How the server calls the longest completion"
    )
    reasoning_effort: str | None = Field(
        None, description="How long a reasoning model thinks, such as low; unset sends nothing"
    )
    omit: tuple[Omittable, ...] = Field(
        (), description="What is left out of requests because the server refuses it"
    )
    extra_body: dict[str, JsonValue] = Field(
        {}, description="Any other fields of a request's body, such as {top_k = 20}"
    )
    timeout_seconds: float = Field(600.0, gt=0, description="Longest wait for one completion")
    max_attempts: int = Field(
        6, gt=0, description="Tries of one completion that a broken server may cost"
    )
    max_wait_seconds: float = Field(
        600.0,
        ge=0,
        description="Longest wait, in all, of one completion for a server that is busy, restarts "
        "or asks to come back later (429, 503, Retry-After)",
    )

    @field_validator("base_url")
    @classmethod
    def _without_secrets(cls, base_url: str) -> str:
        """Manifests record the address."""
        parts = urlsplit(base_url)
        if parts.username or parts.password or parts.query:
            raise ValueError(
                "the address holds a user, a password or a query, and manifests record it: put "
                "the key into the environment variable that api_key_env names"
            )
        return base_url

    @field_validator("extra_body")
    @classmethod
    def _nothing_set_elsewhere(cls, extra_body: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if taken := sorted(_SET_ELSEWHERE & set(extra_body)):
            raise ValueError(f"{taken[0]} is sent already, from a setting of its own: set that")
        return extra_body


class TransformersConfig(Record):
    """`transformers` generation in this process, for machines without vLLM."""

    kind: Literal[EngineKind.TRANSFORMERS] = Field(
        EngineKind.TRANSFORMERS, description="Which kind of engine"
    )
    dtype: Dtype = Field(Dtype.AUTO, description="Precision of weights and activations")
    device: str = Field(default="cpu", description="A torch device, such as cuda")
    batch_size: int = Field(64, gt=0, description="Completions generated at once")
    trust_remote_code: bool = Field(
        default=False, description="Run code that comes with the checkpoint"
    )


class ReplayConfig(Record):
    """Completions recorded earlier."""

    kind: Literal[EngineKind.REPLAY] = Field(EngineKind.REPLAY, description="Which kind of engine")
    completions: tuple[Path, ...] = Field(
        min_length=1, description="Parquet files of tables.COMPLETIONS"
    )


ScoringEngineConfig: TypeAlias = Annotated[
    VllmConfig | TransformersConfig | ReplayConfig, Field(discriminator="kind")
]
"""An engine that loads the checkpoint it is given, or what such a one generated, to judge it again:
the only kinds that can score one."""

EngineConfig: TypeAlias = Annotated[
    VllmConfig | OpenAIConfig | TransformersConfig | ReplayConfig, Field(discriminator="kind")
]

_SPREADS = ("data_parallel_size", "pipeline_parallel_size", "prefill_context_parallel_size")
"""Options of vLLM, each of which multiplies the GPUs that an engine takes."""


def gpus_of(config: EngineConfig) -> int:
    """How many GPUs an engine computes on, where its host has some.

    Raises:
        InputError: where it names one, which may be another step's, or an option of `_SPREADS` is
            no number.
    """
    match config:
        case VllmConfig():
            spreads = [_spread(config, name) for name in _SPREADS]
            return math.prod(spreads, start=config.tensor_parallel_size)
        case TransformersConfig(device="cpu"):
            return 0
        case TransformersConfig():
            if ":" in config.device:
                raise InputError(
                    f"{config.device} may be another step's",
                    field="device",
                    remedy=f"Set it to {config.device.partition(':')[0]}: a step is given its GPU",
                )
            return 1
        case OpenAIConfig() | ReplayConfig():
            return 0


def _spread(config: VllmConfig, option: str) -> int:
    value = config.options.get(option, 1)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError(
            f"{json.dumps(value)} is no number of GPUs",
            field=f"options.{option}",
            remedy="Set it to a whole number from 1, without quotes, or leave it out",
        )
    return value


_PATIENCE = {"api_key_env", "timeout_seconds", "max_attempts", "max_wait_seconds"}


def engine_identity(config: EngineConfig) -> dict[str, JsonValue]:
    """What completions depend on: of a server all but its key and how long it is waited for."""
    return config.model_dump(mode="json", exclude=_PATIENCE)
