"""What killed runs leave behind is found, and what living ones use is left alone."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from iterpref_assets.core.files import locked
from iterpref_assets.defs import launching, pruning
from iterpref_assets.defs.launching import MEETING_PLACES
from iterpref_assets.defs.resources import ProjectResource
from iterpref_assets.workers.job import MeetingPlace
from iterpref_assets.workers.lifeline import held


def place(root: Path, name: str) -> MeetingPlace:
    folder = root / MEETING_PLACES / name
    folder.mkdir(parents=True)
    return MeetingPlace(folder=folder)


def test_the_job_removes_abandoned_places_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ITERPREF_ROOT", str(tmp_path))
    dead, alive = place(tmp_path, "dead"), place(tmp_path, "alive")
    dead.lifeline.touch()
    with held(alive.lifeline):
        pruning.prune_folders.execute_in_process(resources={"project": ProjectResource()})
        assert list((tmp_path / MEETING_PLACES).iterdir()) == [alive.folder]


def test_the_job_waits_while_a_place_is_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ITERPREF_ROOT", str(tmp_path))
    begun = place(tmp_path, "begun")
    told: queue.Queue[str] = queue.Queue()

    @contextmanager
    def telling(path: Path) -> Iterator[None]:
        told.put(f"asks for {path.name}")
        with locked(path):
            told.put("may remove")
            yield

    monkeypatch.setattr(launching, "locked", telling)
    job = threading.Thread(
        target=pruning.prune_folders.execute_in_process,
        kwargs={"resources": {"project": ProjectResource()}},
    )
    with locked(tmp_path / MEETING_PLACES):
        job.start()
        assert told.get() == f"asks for {MEETING_PLACES}"
        assert begun.folder.exists()
        told.put("is made")
    job.join()
    assert (told.get(), told.get()) == ("is made", "may remove")
    assert not begun.folder.exists()


@pytest.mark.parametrize(
    ("environment", "jobs"),
    [("docker", ["prune_containers"]), ("ray", ["prune_folders"]), ("lab", [])],
)
def test_each_environment_has_the_job_for_what_is_left_there(
    monkeypatch: pytest.MonkeyPatch, environment: str, jobs: list[str]
) -> None:
    monkeypatch.setenv("ITERPREF_ENVIRONMENT", environment)
    definitions = pruning.definitions()
    assert [job.name for job in definitions.jobs or []] == jobs
