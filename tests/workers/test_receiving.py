"""A worker works by the settings it was sent."""

import logging
from pathlib import Path

import pytest

from iterpref_assets.settings import load_settings
from iterpref_assets.workers.__main__ import CURVES, receive, stderr_handler
from iterpref_assets.workers.job import MeetingPlace, PublishJob


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ITERPREF_SEEDS", '{"kind": "files", "folder": "elsewhere", "heldout": "h.jsonl"}'),
        ("ITERPREF_BASE_MODELS", '{"another": {"source": "local", "path": "elsewhere"}}'),
        ("ITERPREF_DEBUGGING__MAX_ROUNDS", "1"),
    ],
)
def test_variables_of_the_workers_host_change_no_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    job = PublishJob(
        asset="raw_seeds",
        partitions=("lab-000",),
        settings=load_settings(),
        place=MeetingPlace(folder=tmp_path),
    )
    monkeypatch.setenv(name, value)
    assert receive(job.model_dump(mode="json")) == job


@pytest.mark.parametrize(("name", "shown"), [("iterpref", True), (CURVES, False)])
def test_a_shell_is_shown_progress_and_not_every_point_of_the_curves(name: str, shown: bool):
    record = logging.LogRecord(name, logging.INFO, "", 0, "loss 0.7", None, None)
    assert bool(stderr_handler().filter(record)) is shown
