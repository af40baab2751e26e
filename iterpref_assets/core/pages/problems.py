"""What pages show of problems: the prompt and the source, by the problem's id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.decontamination.items import Benchmark, read_items
from iterpref_assets.core.files import read_bytes
from iterpref_assets.core.seeds.problem_file import read_problem_file


@dataclass(frozen=True, slots=True)
class ShownProblem:
    """A problem's prompt and source, empty where they are not known."""

    prompt: str = ""
    source: str = ""


def shown_problems(files: Sequence[Path]) -> dict[str, ShownProblem]:
    """The problems of tables of tables.PROBLEMS by problem_id.

    Raises:
        InputError: where a file is no such table.
    """
    found: dict[str, ShownProblem] = {}
    for file in files:
        tables.check_table(file, tables.PROBLEMS)
        rows = pl.read_parquet(file, columns=["problem_id", "prompt", "source"])
        for name, prompt, source in rows.select("problem_id", "prompt", "source").iter_rows():
            found[name] = ShownProblem(prompt, source)
    return found


def read_prompts(file: Path) -> dict[str, str]:
    """What tasks ask, by their ids: of a problem table or file, or a benchmark file as published.

    Raises:
        InputError: where the file is none of these.
    """
    if file.suffix == ".parquet":
        return {name: problem.prompt for name, problem in shown_problems([file]).items()}
    if b'"problem_id"' in read_bytes(file, "Give a file of tasks").lstrip().partition(b"\n")[0]:
        return {each.problem_id: each.prompt for each in read_problem_file(file, None)}
    contests = f"{Benchmark.LIVECODEBENCH}/"
    return {item.item.removeprefix(contests): item.prompts[0] for item in read_items(file)}
