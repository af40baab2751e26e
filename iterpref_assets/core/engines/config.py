"""Which engine generates, as plain settings; loading them imports no engine.

Every engine takes seeds per request, and `core.seeding` makes them depend on what is drawn alone.
What each then promises about getting the same text again is said where its class is.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from iterpref_assets.core.records import Record


class EngineKind(StrEnum):
    """The engines there are."""

    VLLM = "vllm"
    OPENAI = "openai"
    TRANSFORMERS = "transformers"
    REPLAY = "replay"


class Dtype(StrEnum):
    """The precision of weights and activations; AUTO is the checkpoint's own."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


class VllmConfig(Record):
    """vLLM inside this process, on the CPU or on GPUs.

    Attributes:
        dtype: precision; float32 on the CPU gives the same text at every batch size (measured).
        max_model_len: longest prompt plus completion, tokens; None is the model's own limit.
        max_num_seqs: completions generated at once.
        max_num_batched_tokens: tokens computed in one step; None is vLLM's choice.
        gpu_memory_utilization: share of the GPU's memory that vLLM takes.
        kv_cache_gib: memory of the key-value cache, GiB; None is 1 on the CPU, what is left of
            `gpu_memory_utilization` on a GPU.
        enforce_eager: neither compile nor capture graphs; the CPU never does.
        enable_prefix_caching: compute shared beginnings of prompts once.
        tensor_parallel_size: GPUs that share the model.
        batch_invariant: vLLM's slower GPU mode whose results do not depend on the batch.
        cpu_threads: threads of arithmetic on the CPU; None leaves one core to the sandbox, because
            every operation waits for its slowest thread and programs under test hold a core.
        trust_remote_code: run code that comes with the checkpoint.
    """

    kind: Literal[EngineKind.VLLM] = EngineKind.VLLM
    dtype: Dtype = Dtype.AUTO
    max_model_len: int | None = Field(None, gt=1)
    max_num_seqs: int = Field(256, gt=0)
    max_num_batched_tokens: int | None = Field(None, gt=0)
    gpu_memory_utilization: float = Field(0.9, gt=0, le=1)
    kv_cache_gib: float | None = Field(None, gt=0)
    enforce_eager: bool = False
    enable_prefix_caching: bool = True
    tensor_parallel_size: int = Field(1, gt=0)
    batch_invariant: bool = False
    cpu_threads: int | None = Field(None, gt=0)
    trust_remote_code: bool = False


class OpenAIConfig(Record):
    """A server that speaks OpenAI's chat completions, such as `vllm serve`.

    Attributes:
        base_url: where it listens, up to and including `/v1`.
        served_model: the model's name there; None is the name given to `open_engine`.
        api_key_env: the environment variable that holds the key; unset means no key.
        timeout_seconds: longest wait for one completion.
        max_attempts: tries per completion; only failures that may pass are tried again.
    """

    kind: Literal[EngineKind.OPENAI] = EngineKind.OPENAI
    base_url: str = "http://localhost:8000/v1"
    served_model: str | None = None
    api_key_env: str = "OPENAI_API_KEY"
    timeout_seconds: float = Field(600.0, gt=0)
    max_attempts: int = Field(6, gt=0)


class TransformersConfig(Record):
    """`transformers` generation in this process, for machines without vLLM.

    Attributes:
        dtype: precision of weights and activations.
        device: a torch device, e.g. "cpu" or "cuda".
        batch_size: completions generated at once.
        trust_remote_code: run code that comes with the checkpoint.
    """

    kind: Literal[EngineKind.TRANSFORMERS] = EngineKind.TRANSFORMERS
    dtype: Dtype = Dtype.AUTO
    device: str = "cpu"
    batch_size: int = Field(64, gt=0)
    trust_remote_code: bool = False


class ReplayConfig(Record):
    """Completions recorded earlier: Parquet files of tables.COMPLETIONS."""

    kind: Literal[EngineKind.REPLAY] = EngineKind.REPLAY
    completions: tuple[Path, ...] = Field(min_length=1)


ScoringEngineConfig: TypeAlias = Annotated[
    VllmConfig | TransformersConfig | ReplayConfig, Field(discriminator="kind")
]
"""An engine that loads the checkpoint it is given, or what such a one generated, to judge it again:
the only kinds that can score one."""

EngineConfig: TypeAlias = Annotated[
    VllmConfig | OpenAIConfig | TransformersConfig | ReplayConfig, Field(discriminator="kind")
]
