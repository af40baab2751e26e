"""docs/FORMATS.md tells what the schemas say, and its example lines are problems."""

from pathlib import Path

from iterpref_assets.core.formats_page import FILES, formats_page, schemas
from iterpref_assets.core.records import Problem
from iterpref_assets.core.starter import EXAMPLE

PAGE = Path(__file__).resolve().parents[1] / "docs" / "FORMATS.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == formats_page(EXAMPLE), "run: make docs"


def test_every_table_has_a_place_and_words() -> None:
    assert set(FILES) == set(schemas())
    assert [name for name, (_, about) in schemas().items() if not about] == []


def test_the_lines_that_are_shown_are_problems() -> None:
    shown = [line for line in PAGE.read_text().splitlines() if line.startswith('{"problem_id"')]
    kinds = {Problem.model_validate_json(line).tests.kind for line in shown}
    assert kinds == {"function", "stdio", "code"}
