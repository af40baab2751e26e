"""The Ray cluster that workers run on as jobs, and what each of them reserves of it."""

from __future__ import annotations

from pydantic import Field

from iterpref_assets.core.records import Record


class RayConfig(Record):
    """The cluster of environment `ray`.

    Attributes:
        address: where the cluster takes jobs: its dashboard's URL.
        cpus: cores that a worker reserves. Ray gives a worker that many threads of arithmetic
            (OMP_NUM_THREADS) but holds it to them in no other way.
        gpus: GPUs that a step of pool `gpu` reserves and sees; with 0 it sees all of its host's.
    """

    address: str = "http://127.0.0.1:8265"
    cpus: float = Field(1, gt=0)
    gpus: float = Field(0, ge=0)
