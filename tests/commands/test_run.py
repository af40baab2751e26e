"""What `iterpref run` logs of what libraries say."""

import logging
import sys
from pathlib import Path

import pytest

from iterpref_assets.commands.run import is_no_interruption, prepare


@pytest.mark.parametrize(
    ("error", "is_shown"), [(KeyboardInterrupt(), False), (OSError("the disk is full"), True)]
)
def test_only_an_interruption_that_a_library_logs_is_left_out(
    caplog: pytest.LogCaptureFixture, error: BaseException, is_shown: bool
) -> None:
    """As SQLAlchemy does where Ctrl-C meets it while it closes a connection."""
    logging.getLogger("a library").error("Exception closing connection", exc_info=error)
    (record,) = caplog.records
    assert is_no_interruption(record) is is_shown


def test_what_was_no_exception_is_shown() -> None:
    record = logging.LogRecord("a", logging.INFO, "f", 1, "stage 1", None, sys.exc_info())
    assert is_no_interruption(record)


def test_a_relative_home_of_dagster_is_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", "home")
    monkeypatch.setenv("ITERPREF_ROOT", "data")
    prepare()
    assert (tmp_path / "home" / "dagster.yaml").is_file()
