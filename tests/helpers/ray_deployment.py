"""A deployment on a small slice of the lab, and what the tests ask of it."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import docker_graphql as graphql
from live_deployment import LiveDeployment
from ray_cluster import until

from iterpref_assets.operations.graphql import Deployment

SECONDS_TO_RUN = 600
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
SLICE = {
    "ITERPREF_SEEDS": (
        '{"kind": "lab", "lab": {"shards": 2, "problems_per_shard": 6, "heldout_problems": 6}}'
    ),
    "ITERPREF_ENGINE": '{"kind": "vllm", "cpu_threads": 1}',
    "ITERPREF_SAMPLED_EVALUATION__SAMPLES": "2",
}


class SmallDeployment(LiveDeployment):
    """Runs over GraphQL."""

    def __init__(self, root: Path, address: str, settings: dict[str, str]) -> None:
        on_ray = {"ITERPREF_ENVIRONMENT": "ray", "ITERPREF_RAY__ADDRESS": address}
        super().__init__(root, {**settings, **on_ray})
        self.deployment = Deployment(self.url)

    def done(self, *command: str) -> None:
        """A command that has to succeed."""
        finished = self.command(*command)
        assert finished.returncode == 0, finished.stdout + finished.stderr

    def launch(self, assets: Sequence[str], *partitions: str) -> str:
        return graphql.launch(self.deployment, assets, partitions)

    def status(self, run_id: str) -> str:
        return graphql.status(self.deployment, run_id)

    def said(self, run_id: str) -> str:
        return "\n".join(graphql.messages(self.deployment, run_id))

    def ended(self, run_id: str) -> str:
        """The final status of a run."""
        until(f"run {run_id} to end", lambda: self.status(run_id) in ENDED, SECONDS_TO_RUN)
        return self.status(run_id)

    def succeeded(self, run_id: str) -> str:
        assert self.ended(run_id) == "SUCCESS", self.said(run_id)[-6000:]
        return run_id

    def materialize(self, assets: Sequence[str], *partitions: str) -> str:
        return self.succeeded(self.launch(assets, *partitions))

    def serving_both_nodes(self) -> contextlib.AbstractContextManager[LiveDeployment]:
        """Shards registered, and a slot for a step on each node."""
        self.done("iterpref", "prepare")
        self.done("dagster", "instance", "concurrency", "set", "gpu", "2")
        return self.serving()
