"""Tables that earlier versions of the project wrote can still be read."""

from pathlib import Path

import pytest
from score_tables import score_table

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError

ADDED = ["failing_call", "expected", "actual", "message"]
SCORES = score_table([("t", 0, "c", "x = 1", "passed", "", True, None)])


def test_scores_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "scores.parquet"
    told = SCORES.with_columns(message=SCORES["code"])
    tables.write_table(told, tables.SCORES, file)
    assert tables.read_scores(file).equals(told)


def test_scores_of_before_failures_were_kept_tell_of_none(tmp_path: Path) -> None:
    file = tmp_path / "scores.parquet"
    SCORES.drop(ADDED).write_parquet(file)
    assert tables.read_scores(file).equals(SCORES)


@pytest.mark.parametrize("missing", ["verdict", "actual"])
def test_scores_that_lack_another_column_are_refused(tmp_path: Path, missing: str) -> None:
    file = tmp_path / "scores.parquet"
    SCORES.drop(missing).write_parquet(file)
    with pytest.raises(InputError, match="no such column"):
        tables.read_scores(file)
