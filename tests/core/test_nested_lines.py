"""A line that is nested deeper than Python reads is told of like any other bad line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from iterpref_assets.core.decontamination.items import read_items
from iterpref_assets.core.engines.protocol import FinishReason
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.livecodebench.data import load_livecodebench
from iterpref_assets.core.journal import Journal
from iterpref_assets.core.json_lines import parse_json
from iterpref_assets.core.pairs.recorded import read_trajectories
from iterpref_assets.core.quality.ratings import RatingFault, read_rating
from iterpref_assets.core.seeds.mbpp import read_mbpp
from iterpref_assets.core.seeds.problem_file import read_problem_file
from iterpref_assets.core.seeds.table import TableSeeds

DEEP = "[" * 200_000 + "]" * 200_000
LINES = {"an array": DEEP, "a field": f'{{"extra": {DEEP}}}'}


def read_table(file: Path) -> Any:
    columns = {"statement": "prompt", "tests": "tests", "test_format": "typed"}
    return TableSeeds.model_validate({"path": file, "label": "t", "columns": columns}).read()


def read_journal(file: Path) -> Any:
    content = file.read_text()
    file.unlink()
    with Journal(file, {}) as journal:
        with file.open("a") as stream:
            stream.write(content.lstrip("\n"))
        return list(journal.records())


READERS: dict[str, Callable[[Path], Any]] = {
    "trajectories": lambda file: read_trajectories([file]),
    "problems": lambda file: read_problem_file(file, None),
    "MBPP": read_mbpp,
    "a table": read_table,
    "benchmark items": read_items,
    "LiveCodeBench": load_livecodebench,
    "a journal": read_journal,
}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("reader", READERS)
def test_a_line_nested_too_deep_is_named_by_file_and_line(
    tmp_path: Path, reader: str, line: str
) -> None:
    file = tmp_path / "deep.jsonl"
    file.write_text(f"\n{LINES[line]}\n")
    with pytest.raises(InputError) as caught:
        READERS[reader](file)
    whole_file = reader in {"MBPP", "benchmark items"} and line == "an array"  # a JSON array
    assert str(caught.value).startswith(f"{file}: " if whole_file else f"{file}:2: ")
    assert "\n" not in str(caught.value)


def test_scores_nested_too_deep_are_a_fault_of_their_answer() -> None:
    answer = f'{{"clarity": {DEEP}}}'
    assert read_rating(answer, FinishReason.STOP) in set(RatingFault)


def test_what_is_not_nested_too_deep_is_read() -> None:
    assert parse_json('{"a": [[1]]}') == {"a": [[1]]}
