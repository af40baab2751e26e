"""A worker publishes what it is asked for, answers what it is asked, and says what stops it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest
from faults.processes import is_alive, worker_of

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.engines.config import OpenAIConfig
from iterpref_assets.core.errors import INTERRUPTED
from iterpref_assets.defs.launching import launch, limited, meeting_place
from iterpref_assets.defs.problems import heldout_problems
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.deployment import OperationsConfig
from iterpref_assets.settings import Environment, RemoteModel, Settings, load_settings
from iterpref_assets.steps.verification import failing_references
from iterpref_assets.workers.job import VerifyJob

from .conftest import PROBLEM, publish_problems

HELDOUT = ArtifactKey("heldout_problems")


@pytest.fixture
def settings(seeds: Path) -> Settings:
    return load_settings()


def run(settings: Settings) -> dg.ExecuteInProcessResult:
    """A run whose worker publishes the held-out problems."""

    @dg.asset
    def published(
        context: dg.AssetExecutionContext, workers: WorkerResource
    ) -> dg.MaterializeResult:
        workers.run(context, HELDOUT.asset, [HELDOUT.partition], settings)
        return dg.MaterializeResult()

    return dg.materialize(
        [published], resources={"workers": WorkerResource()}, raise_on_error=False
    )


def test_a_worker_publishes(settings: Settings, store: ArtifactStore) -> None:
    assert run(settings).success
    assert store.current(HELDOUT).manifest.row_count == 1


def test_without_a_gpu_environment_gpu_is_refused(settings: Settings, store: ArtifactStore) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    result = run(settings.model_copy(update={"environment": Environment.GPU}))
    (failure,) = result.get_step_failure_events()
    assert "torch finds no GPU" in failure.step_failure_data.user_failure_data.description
    assert store.find(HELDOUT) is None


@pytest.mark.sandbox
def test_a_worker_answers_with_findings(settings: Settings) -> None:
    asked = []

    @dg.asset
    def verified(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        with meeting_place(settings) as place:
            job = VerifyJob(
                verification=failing_references.__name__,
                partitions=(),
                settings=settings,
                place=place,
            )
            asked.extend(launch(context, settings, job).get_custom_messages())
        return dg.MaterializeResult()

    assert dg.materialize([verified]).success
    assert asked == [{"looked_at": {"problems": 0, "programs": 0}, "count": 0, "first": []}]


def test_a_meeting_place_leaves_nothing(settings: Settings) -> None:
    with meeting_place(settings) as place:
        assert place.lifeline.exists()
    assert not place.folder.exists()


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance whose pool `gpu` has one slot."""
    (tmp_path / "home").mkdir()
    with dg.instance_for_test(temp_dir=str(tmp_path / "home")) as opened:
        opened.event_log_storage.set_concurrency_slots("gpu", 1)
        yield opened


def test_a_worker_that_hangs_is_ended_and_its_pool_is_free(
    store: ArtifactStore, pool: dg.DagsterInstance
) -> None:
    """It waits for a server that takes its request and never answers."""
    publish_problems(store, ArtifactKey("seed_problems", "a"), PROBLEM)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        result = sample(
            load_settings().model_copy(
                update={
                    "generator": RemoteModel(model="m"),
                    "engine": OpenAIConfig(base_url=url),
                    "operations": OperationsConfig(step_hours=8 / 3600),
                }
            ),
            pool,
        )
        asked, _ = silent.accept()
        asked.close()
    (failure,) = result.get_step_failure_events()
    said = failure.step_failure_data.user_failure_data.description
    assert "ended after 8.0 s" in said
    assert "operations.step_hours" in said
    assert pool.event_log_storage.get_concurrency_info("gpu").active_slot_count == 0


def test_an_interrupted_worker_shows_no_stack(
    store: ArtifactStore, pool: dg.DagsterInstance, capfd
) -> None:
    publish_problems(store, ArtifactKey("seed_problems", "a"), PROBLEM)
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor() as threads:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        settings = load_settings().model_copy(
            update={"generator": RemoteModel(model="m"), "engine": OpenAIConfig(base_url=url)}
        )

        def interrupt() -> None:
            silent.accept()
            os.kill(worker_of(os.getpid(), 60), signal.SIGINT)

        interrupted = threads.submit(interrupt)
        result = sample(settings, pool)
        interrupted.result()
    assert not result.success
    assert f"failed with code {INTERRUPTED}" in str(result.get_step_failure_events())
    assert "Traceback" not in capfd.readouterr().err


WAITS_IN_AN_IMPORT = """
import sys

class Waits:
    def find_spec(self, name, path=None, target=None):
        if name == "dagster_pipes":
            open({gate!r}).read()

sys.meta_path.insert(0, Waits())
"""


def is_interrupted(pid: int) -> bool:
    """Whether SIGINT waits for a process that blocks it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    pending = dict(line.split(":", 1) for line in lines)["ShdPnd"]
    return bool(int(pending, 16) & 1 << signal.SIGINT - 1)


@pytest.mark.timeout(60)
def test_a_worker_that_is_interrupted_as_it_starts_shows_no_stack(
    settings: Settings, tmp_path: Path
) -> None:
    """While it imports its modules."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    (tmp_path / "sitecustomize.py").write_text(WAITS_IN_AN_IMPORT.format(gate=str(gate)))
    command = [*limited(settings), sys.executable, "-m", "iterpref_assets.workers"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as started:
        with gate.open("w"):
            worker = worker_of(os.getpid(), 60)
            started.send_signal(signal.SIGINT)
            while not is_interrupted(worker):
                time.sleep(0.01)
        _, said = started.communicate()
    assert not is_alive(worker)
    assert (started.returncode, said) == (INTERRUPTED, "")


def sample(settings: Settings, pool: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    @dg.asset(pool="gpu")
    def hanging(context: dg.AssetExecutionContext, workers: WorkerResource) -> None:
        workers.run(context, "initial_samples", ["a"], settings)

    return dg.materialize(
        [hanging], instance=pool, resources={"workers": WorkerResource()}, raise_on_error=False
    )


@pytest.mark.timeout(60)
def test_the_limit_ends_what_the_worker_started_too(settings: Settings) -> None:
    """Its output ends only once nobody holds it open."""
    operations = settings.operations.model_copy(update={"step_hours": 1 / 3600})
    impatient = settings.model_copy(update={"operations": operations})
    command = [*limited(impatient), "sh", "-c", "sleep 600 & echo started; wait"]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (124, b"started\n")


def test_the_place_of_a_killed_run_is_removed_by_the_next(settings: Settings) -> None:
    with meeting_place(settings) as living:
        abandoned = living.folder.with_name("abandoned")
        abandoned.mkdir()
        (abandoned / living.lifeline.name).touch()
        with meeting_place(settings):
            assert living.folder.is_dir()
            assert not abandoned.exists()


@pytest.fixture
def left_by_a_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a sandbox whose process was killed."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / f"iterpref-sandboxes-{os.getuid()}" / "left"
    folder.mkdir(parents=True)
    return folder


def test_what_a_killed_workers_sandbox_left_goes_with_its_run(
    settings: Settings, left_by_a_sandbox: Path
) -> None:
    with meeting_place(settings):
        assert left_by_a_sandbox.is_dir()
    assert not left_by_a_sandbox.exists()


def test_what_a_killed_runs_sandbox_left_goes_with_the_next_run_of_any_asset(
    store: ArtifactStore, left_by_a_sandbox: Path
) -> None:
    resources = {"project": ProjectResource(), "workers": WorkerResource()}
    assert dg.materialize([heldout_problems], resources=resources).success
    assert not left_by_a_sandbox.exists()
