"""Workers with a vLLM engine each, of one host: side by side on GPUs of their own, or in turn.

The engines compute on the CPU. What is tested is which GPUs the workers are given.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from dagster_pipes import (
    DAGSTER_PIPES_CONTEXT_ENV_VAR,
    DAGSTER_PIPES_MESSAGES_ENV_VAR,
    encode_param,
)
from published_shard import PROBLEMS

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.engines.config import VllmConfig
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.sampling import SamplingConfig
from iterpref_assets.settings import LocalModel, Settings
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.workers.gpus import VISIBLE
from iterpref_assets.workers.job import MeetingPlace, PublishJob
from iterpref_assets.workers.lifeline import held

pytestmark = pytest.mark.timeout(280)

NOTHING_OF_DAGSTER = dict.fromkeys(
    (
        "asset_keys", "code_version_by_asset_key", "provenance_by_asset_key", "partition_key",
        "partition_key_range", "partition_time_window", "job_name",
    )
)  # fmt: skip
GIVEN = "this step computes on GPU "


class Host:
    """Starts workers that sample a shard by an engine of their own, and ends them."""

    def __init__(self, folder: Path, model: Path, ending: ExitStack) -> None:
        self.folder, self.ending = folder, ending
        self.store = ArtifactStore(folder / "data")
        self.settings = Settings(
            root=folder / "data",
            generator=LocalModel(path=model),
            engine=VllmConfig(cpu_threads=1, max_num_seqs=2),
            sampling=SamplingConfig(max_tokens=4),
        )

    def start(self, shard: str, gpus: str) -> "subprocess.Popen[str]":
        """A worker that samples `shard` and may use `gpus`."""
        key = ArtifactKey("seed_problems", shard)
        with self.store.publishing(Plan(key, "1")) as staging:
            frame = problems_to_frame(PROBLEMS)
            tables.write_table(frame, tables.PROBLEMS, staging.folder / PROBLEMS_FILE)
        place = MeetingPlace(folder=self.folder / shard)
        place.folder.mkdir()
        self.ending.enter_context(held(place.lifeline))
        job = PublishJob(
            asset="initial_samples", partitions=(shard,), settings=self.settings, place=place
        )
        context = place.folder / "context.json"
        asked = {"extras": job.model_dump(mode="json"), "run_id": shard, "retry_number": 0}
        context.write_text(json.dumps({**NOTHING_OF_DAGSTER, **asked}))
        worker = subprocess.Popen(
            [sys.executable, "-m", "iterpref_assets.workers"],
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                VISIBLE: gpus,
                "XDG_CACHE_HOME": str(self.folder / "cache"),
                DAGSTER_PIPES_CONTEXT_ENV_VAR: encode_param({"path": str(context)}),
                DAGSTER_PIPES_MESSAGES_ENV_VAR: encode_param({"path": str(place.messages)}),
            },
        )
        self.ending.enter_context(worker)
        self.ending.callback(worker.kill)
        return worker

    def sampled(self, shard: str) -> int:
        """How many completions of a shard are published."""
        found = self.store.find(ArtifactKey("initial_samples", shard))
        return found.manifest.row_count if found else 0


@pytest.fixture
def host(tmp_path: Path, tiny_checkpoint: Path) -> Iterator[Host]:
    pytest.importorskip("vllm")
    with ExitStack() as ending:
        yield Host(tmp_path, tiny_checkpoint, ending)


def told(worker: "subprocess.Popen[str]", text: str) -> str:
    """What follows `text` in the first line of a worker's log that has it."""
    assert worker.stderr is not None
    seen = []
    for line in worker.stderr:
        seen.append(line)
        if text in line:
            return line.partition(text)[2].strip()
    raise AssertionError("".join(seen))


def finish(worker: "subprocess.Popen[str]") -> None:
    _, rest = worker.communicate()
    assert worker.returncode == 0, rest


def test_two_engines_of_one_host_compute_at_once_on_a_gpu_each(host: Host) -> None:
    workers = [host.start("a", "0,1"), host.start("b", "0,1")]
    assert {told(worker, GIVEN) for worker in workers} == {"0 of 0,1", "1 of 0,1"}
    for worker in workers:
        finish(worker)
    assert (host.sampled("a"), host.sampled("b")) == (len(PROBLEMS), len(PROBLEMS))


def test_a_worker_takes_the_gpu_of_one_that_was_killed(host: Host) -> None:
    first = host.start("a", "0")
    assert told(first, GIVEN) == "0 of 0"
    second = host.start("b", "0")
    told(second, "waiting for 1 of the GPUs 0")
    first.kill()
    assert told(second, GIVEN) == "0 of 0"
    finish(second)
    assert (host.sampled("a"), host.sampled("b")) == (0, len(PROBLEMS))
