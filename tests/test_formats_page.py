"""docs/FORMATS.md tells what the schemas say, and its example lines are problems."""

import json
from pathlib import Path

import polars as pl
import pytest
from pydantic import BaseModel

from iterpref_assets.core.evaluation.sample_summary import SampleSummary
from iterpref_assets.core.evaluation.scores import Score
from iterpref_assets.core.formats_page import FILES, formats_page, schemas, written_rows
from iterpref_assets.core.pairs.manifest import PairManifest
from iterpref_assets.core.pairs.own import parse
from iterpref_assets.core.records import Problem
from iterpref_assets.core.starter import EXAMPLE
from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.core.training.curves import SUMS, TIMED, describe

PAGE = Path(__file__).resolve().parents[1] / "docs" / "FORMATS.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == formats_page(EXAMPLE), "run: make docs"


def test_every_table_has_a_place_and_words() -> None:
    assert set(FILES) == set(schemas())
    assert [name for name, (_, about) in schemas().items() if not about] == []


def test_the_lines_that_are_shown_are_problems() -> None:
    shown = [line for line in PAGE.read_text().splitlines() if line.startswith('{"problem_id"')]
    shown = [line for line in shown if '"versions"' not in line and '"tests": {' in line]
    kinds = {Problem.model_validate_json(line).tests.kind for line in shown}
    assert kinds == {"function", "stdio", "code"}


def test_a_row_of_every_table_is_shown_with_the_columns_and_types_of_its_schema() -> None:
    rows, page = written_rows(), PAGE.read_text(encoding="utf-8").splitlines()
    for name, (schema, _) in schemas().items():
        assert list(rows[name]) == list(schema), name
        read_back = pl.DataFrame([rows[name]], schema=schema, strict=True)
        assert read_back.to_dicts() == [rows[name]], name
        assert json.dumps(rows[name], ensure_ascii=False) in page, name


def test_the_trajectory_that_is_shown_is_one() -> None:
    [line] = [each for each in PAGE.read_text().splitlines() if '"versions": [' in each]
    assert parse(line.encode()).problem().problem_id == "homework/17"


def test_a_step_that_is_shown_has_the_curves_of_training() -> None:
    figures = describe([1.0] * len(SUMS), seconds=1.0).keys() - {TIMED}
    assert figures < written_rows()["metrics.jsonl"].keys()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("summary.json", SampleSummary),
        ("results.jsonl", Score),
        ("PAIRS.manifest.json", PairManifest),
    ],
)
def test_what_is_shown_of_a_file_is_all_that_its_record_holds(
    name: str, kind: type[BaseModel]
) -> None:
    shown = written_rows()[name]
    assert kind.model_validate_json(json.dumps(shown)).model_dump(mode="json") == shown


def test_the_settings_of_a_training_that_are_shown_are_all_that_there_are() -> None:
    shown = written_rows()["training.json"]["config"]
    assert TrainConfig.model_validate_json(json.dumps(shown)).model_dump(mode="json") == shown
