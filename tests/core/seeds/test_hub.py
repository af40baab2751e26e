"""A hub data set is read from a folder laid out like one of its snapshots."""

import sys
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.seeds.hub import HubSeeds

REVISION = "0123456789abcdef0123456789abcdef01234567"
COLUMNS = {"statement": "question", "tests": "checks", "test_format": "asserts"}


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two subsets of Parquet files, declared in the README as on the hub."""
    folder = tmp_path / "snapshots" / REVISION
    for subset, value in (("easy", 2), ("hard", 3)):
        (folder / subset).mkdir(parents=True)
        row = {"question": f"Give {value}.", "checks": [f"assert f() == {value}"]}
        file = folder / subset / "train-00000-of-00001.parquet"
        pl.DataFrame([row]).write_parquet(file)
    configs = "".join(
        f"- config_name: {subset}\n  data_files: {subset}/train-*\n" for subset in ("easy", "hard")
    )
    (folder / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    return folder


def seeds(repository: Path | str, **changes: str) -> HubSeeds:
    given = {"repository": str(repository), "revision": REVISION, "label": "tasks", **changes}
    return HubSeeds.model_validate({**given, "columns": COLUMNS})


@pytest.mark.parametrize(("subset", "value"), [("easy", "2"), ("hard", "3")])
def test_the_rows_of_one_subset_and_split_become_problems(
    snapshot: Path, subset: str, value: str
) -> None:
    (problem,) = seeds(snapshot, subset=subset).read().problems
    assert problem.problem_id == "tasks/1"
    assert problem.tests.cases[0].expected == value


@pytest.mark.parametrize("change", [{"split": "test", "subset": "easy"}, {"subset": "middle"}])
def test_a_split_or_subset_that_is_not_there_is_one_message(snapshot: Path, change: dict) -> None:
    with pytest.raises(InputError, match="cannot be loaded"):
        seeds(snapshot, **change).read()


@pytest.mark.parametrize("revision", ["main", "v1.0", "0123456", ""])
def test_anything_but_a_whole_commit_is_refused_as_revision(revision: str) -> None:
    with pytest.raises(ValidationError, match="revision"):
        seeds("owner/name", revision=revision)


def test_a_machine_without_the_library_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match="`datasets` is not installed"):
        seeds("owner/name").read()
