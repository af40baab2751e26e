import json
from pathlib import Path

import polars as pl
import pytest
from debugging_doubles import (
    ScriptedEngine,
    debug_problems,
    make_problem,
    number_judge,
    scripted_initial,
)

from iterpref_assets.core.debugging.loop import LOG, DebugOutcome
from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import Problem, Tests
from iterpref_assets.core.sandbox.verdicts import Execution

CONFIG = DebugConfig(max_rounds=3)


def finished_run(problems: list[Problem], initial: pl.DataFrame, folder: Path) -> DebugOutcome:
    return debug_problems(problems, initial, ScriptedEngine(), number_judge, CONFIG, folder)


def test_cut_off_after_any_record_the_run_resumes_and_repeats_nothing(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    whole = finished_run(problems, initial, tmp_path / "whole")
    lines = (tmp_path / "whole" / LOG).read_bytes().splitlines(keepends=True)
    records = [json.loads(line) for line in lines[1:]]
    for kept in range(len(records) + 1):
        folder = tmp_path / str(kept)
        folder.mkdir()
        torn = lines[kept + 1][:-3] if kept < len(records) else b""
        (folder / LOG).write_bytes(b"".join(lines[: kept + 1]) + torn)
        engine, executed = ScriptedEngine(), 0

        def judge(code: str, tests: Tests) -> Execution:
            nonlocal executed
            executed += 1
            return number_judge(code, tests)

        resumed = debug_problems(problems, initial, engine, judge, CONFIG, folder)
        generated_before = sum(record["kind"] == "completion" for record in records[:kept])
        assert len(engine.requests) == whole.completions.height - generated_before
        assert executed == whole.versions.height - (kept - generated_before)
        assert resumed.versions.equals(whole.versions)
        assert resumed.completions.equals(whole.completions)
        assert resumed.figures["solved"] == whole.figures["solved"]
        assert resumed.figures["pass_rate_by_round"] == whole.figures["pass_rate_by_round"]


def test_a_finished_run_asks_its_engine_for_nothing(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    finished_run(problems, initial, tmp_path)
    engine = ScriptedEngine()
    debug_problems(problems, initial, engine, number_judge, CONFIG, tmp_path)
    assert engine.requests == []


def test_a_run_is_not_continued_with_other_settings(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    finished_run(problems, initial, tmp_path)
    other = CONFIG.model_copy(update={"temperature": 0.1})
    with pytest.raises(InputError, match="temperature"):
        debug_problems(problems, initial, ScriptedEngine(), number_judge, other, tmp_path)


def test_another_degree_of_concurrency_continues_a_run(tmp_path: Path) -> None:
    problems = [make_problem(1)]
    initial = scripted_initial(problems, tmp_path)
    whole = finished_run(problems, initial, tmp_path)
    other = CONFIG.model_copy(update={"max_in_flight": 1, "judge_workers": 1})
    again = debug_problems(problems, initial, ScriptedEngine(), number_judge, other, tmp_path)
    assert again.versions.equals(whole.versions)
