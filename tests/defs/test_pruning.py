"""What killed runs leave behind is found, and what living ones use is left alone."""

from pathlib import Path

import pytest

from iterpref_assets.defs import pruning
from iterpref_assets.defs.launching import MEETING_PLACES
from iterpref_assets.defs.resources import ProjectResource
from iterpref_assets.workers.job import MeetingPlace
from iterpref_assets.workers.lifeline import held


def place(root: Path, name: str) -> MeetingPlace:
    folder = root / MEETING_PLACES / name
    folder.mkdir(parents=True)
    return MeetingPlace(folder=folder)


def test_places_without_a_living_run_are_abandoned(tmp_path: Path) -> None:
    dead, alive = place(tmp_path, "dead"), place(tmp_path, "alive")
    dead.lifeline.touch()
    with held(alive.lifeline):
        assert pruning.abandoned_places(tmp_path, hours=0) == [dead.folder]


def test_a_place_that_is_just_being_made_is_not_abandoned(tmp_path: Path) -> None:
    place(tmp_path, "new")
    assert pruning.abandoned_places(tmp_path, hours=0) == []


def test_a_young_place_is_kept(tmp_path: Path) -> None:
    place(tmp_path, "dead").lifeline.touch()
    assert pruning.abandoned_places(tmp_path, hours=1) == []


def test_the_job_removes_abandoned_places_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ITERPREF_ROOT", str(tmp_path))
    dead, alive = place(tmp_path, "dead"), place(tmp_path, "alive")
    dead.lifeline.touch()
    with held(alive.lifeline):
        pruning.prune_folders.execute_in_process(
            run_config={"ops": {"remove_abandoned_folders": {"config": {"hours": 0}}}},
            resources={"project": ProjectResource()},
        )
        assert list((tmp_path / MEETING_PLACES).iterdir()) == [alive.folder]


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
