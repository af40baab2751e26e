"""The Ray cluster that workers run on as jobs, and what each of them reserves of it."""

from __future__ import annotations

from pydantic import Field

from iterpref_assets.core.records import Record


class RayConfig(Record):
    """The cluster of environment `ray`.

    Attributes:
        address: where the cluster takes jobs: its dashboard's URL.
        cpus: cores that a worker reserves; Ray holds it to them in no way. vLLM on the CPU takes
            the engine's `cpu_threads`.
        gpus: GPUs that a step of pool `gpu` reserves and sees; with 0 it sees all of its host's.
    """

    address: str = Field("http://127.0.0.1:8265", pattern=r"^https?://")
    cpus: float = Field(1, gt=0)
    gpus: float = Field(0, ge=0)
