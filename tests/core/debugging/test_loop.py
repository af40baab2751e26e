import dataclasses
import logging
import threading
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

from iterpref_assets.core.conversations import lab_debug_conversation
from iterpref_assets.core.debugging.loop import LOG
from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.engines.config import ReplayConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import FinishReason
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.randomness import derive_seed
from iterpref_assets.core.records import Problem, Tests
from iterpref_assets.core.sandbox.verdicts import Execution
from iterpref_assets.core.tables import COMPLETIONS, write_table

CONFIG = DebugConfig()


def rows(versions: pl.DataFrame) -> list[tuple[str, int, str]]:
    return list(versions.select("problem_id", "round", "verdict").iter_rows())


def test_a_trajectory_ends_with_its_first_passing_version(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    outcome = debug_problems(problems, initial, ScriptedEngine(), number_judge, CONFIG, tmp_path)
    assert rows(outcome.versions.filter(pl.col("problem_id") == "p3")) == [
        ("p3", 0, "wrong_answer"),
        ("p3", 1, "wrong_answer"),
        ("p3", 2, "wrong_answer"),
        ("p3", 3, "passed"),
    ]


def test_an_unsolved_trajectory_ends_after_max_rounds_and_keeps_every_version(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    config = DebugConfig(max_rounds=2)
    outcome = debug_problems(problems, initial, ScriptedEngine(), number_judge, config, tmp_path)
    assert rows(outcome.versions.filter(pl.col("problem_id") == "p9")) == [
        ("p9", 0, "wrong_answer"),
        ("p9", 1, "wrong_answer"),
        ("p9", 2, "wrong_answer"),
    ]


def test_each_round_shows_the_last_program_and_its_failure(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    engine = ScriptedEngine()
    debug_problems(problems, initial, engine, number_judge, CONFIG, tmp_path)
    asked = {request.key: request for request in engine.requests}
    assert asked["p3#2#0"].messages == lab_debug_conversation(
        "Give 3.", "answer = 1", "needs 3, got 1"
    )


def test_each_completion_has_the_seed_of_its_problem_round_and_sample(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    config = DebugConfig(seed=7)
    outcome = debug_problems(problems, initial, ScriptedEngine(), number_judge, config, tmp_path)
    completion = outcome.completions.row(by_predicate=pl.col("key") == "p3#2#0", named=True)
    assert completion["seed"] == derive_seed(7, "p3", 2, 0)


def test_figures_count_what_the_rules_imply(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    outcome = debug_problems(problems, initial, ScriptedEngine(), number_judge, CONFIG, tmp_path)
    # p0, p1, p3 pass in rounds 0, 1, 3; p9 never does. Debugging calls: 0 + 1 + 3 + 5 = 9.
    assert outcome.figures["pass_rate_by_round"] == [0.25, 0.5, 0.5, 0.75, 0.75, 0.75]
    assert outcome.figures["calls_per_trajectory"] == 1 + 9 / 4
    assert (outcome.figures["trajectories"], outcome.figures["solved"]) == (4, 3)
    assert outcome.figures["executions_this_run"] == outcome.versions.height == 4 + 9


def test_tables_are_sorted_and_the_same_whatever_is_in_flight(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    def run(in_flight: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        config = DebugConfig(max_in_flight=in_flight)
        folder = tmp_path / str(in_flight)
        outcome = debug_problems(
            problems[::-1], initial.reverse(), ScriptedEngine(), number_judge, config, folder
        )
        return outcome.versions, outcome.completions

    one, many = run(1), run(64)
    assert one[0].equals(many[0])
    assert one[1].equals(many[1])
    assert one[0].sort("problem_id", "sample", "round").equals(one[0])


def test_replaying_the_completions_gives_the_same_versions(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    first = debug_problems(
        problems, initial, ScriptedEngine(), number_judge, CONFIG, tmp_path / "first"
    )
    write_table(first.completions, COMPLETIONS, tmp_path / "recorded.parquet")
    replay = open_engine(ReplayConfig(completions=(tmp_path / "recorded.parquet",)), "")
    again = debug_problems(problems, initial, replay, number_judge, CONFIG, tmp_path / "again")
    assert again.versions.equals(first.versions)


def test_a_prompt_that_no_longer_fits_ends_its_trajectory_and_is_recorded(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    engine = ScriptedEngine(unanswered=frozenset({"p9#2#0"}))
    outcome = debug_problems(problems, initial, engine, number_judge, CONFIG, tmp_path)
    assert [round_ for name, round_, _ in rows(outcome.versions) if name == "p9"] == [0, 1]
    last = outcome.completions.filter(pl.col("problem_id") == "p9").row(-1, named=True)
    assert (last["round"], last["finish_reason"]) == (2, "prompt_too_long")


def test_calls_without_an_answer_are_counted_by_kind(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    engine = ScriptedEngine(frozenset({"p9#2#0"}), FinishReason.REFUSED)
    outcome = debug_problems(problems, initial, engine, number_judge, CONFIG, tmp_path)
    assert outcome.figures["calls_without_an_answer"] == {"refused": 1}


@pytest.mark.parametrize(
    ("reason", "rounds_asked_again"),
    [(FinishReason.FILTERED, 0), (FinishReason.UNAVAILABLE, 4)],
)
def test_after_a_restart_only_what_another_try_may_answer_is_asked_again(
    problems: list[Problem],
    initial: pl.DataFrame,
    tmp_path: Path,
    reason: FinishReason,
    rounds_asked_again: int,
) -> None:
    """p9 fails in round 2; where it is asked again, rounds 2 to 5 follow."""
    engine = ScriptedEngine(frozenset({"p9#2#0"}), reason)
    first = debug_problems(problems, initial, engine, number_judge, CONFIG, tmp_path)
    assert reason in first.completions["finish_reason"].to_list()
    again = ScriptedEngine()
    debug_problems(problems, initial, again, number_judge, CONFIG, tmp_path)
    assert len(again.requests) == rounds_asked_again


def test_more_failures_than_the_share_end_the_debugging(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    config = DebugConfig(max_failed_share=0.01)
    engine = ScriptedEngine(frozenset({"p9#1#0", "p5#1#0", "p2#1#0", "p1#1#0"}))
    with pytest.raises(InputError, match="prompt_too_long 2"):
        debug_problems(problems, initial, engine, number_judge, config, tmp_path)


def test_rounds_may_have_temperatures_of_their_own(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    engine, config = ScriptedEngine(), DebugConfig(round_temperatures=(0.2, 0.9))
    debug_problems(problems, initial, engine, number_judge, config, tmp_path)
    asked = {r.key: r.sampling.temperature for r in engine.requests if r.key.startswith("p9")}
    assert asked == {"p9#1#0": 0.2, **{f"p9#{n}#0": 0.9 for n in (2, 3, 4, 5)}}


def test_as_many_trajectories_as_allowed_are_in_the_engine_and_no_more(tmp_path: Path) -> None:
    problems = [make_problem(9, f"n{number}") for number in range(20)]
    engine = ScriptedEngine(at_once=3)
    initial = scripted_initial(problems, tmp_path)
    config = DebugConfig(max_in_flight=3)
    debug_problems(problems, initial, engine, number_judge, config, tmp_path / "work")
    assert engine.most_active == 3


def test_no_more_programs_than_allowed_run_at_once(tmp_path: Path) -> None:
    problems = [make_problem(0, f"n{number}") for number in range(20)]
    gate, running, most = threading.Lock(), 0, 0
    pair = threading.Barrier(2)

    def judge(code: str, tests: Tests) -> Execution:
        nonlocal running, most
        with gate:
            running += 1
            most = max(most, running)
        pair.wait(timeout=300)
        with gate:
            running -= 1
        return number_judge(code, tests)

    config = DebugConfig(judge_workers=2)
    initial = scripted_initial(problems, tmp_path)
    debug_problems(problems, initial, ScriptedEngine(), judge, config, tmp_path / "work")
    assert most == 2


def test_a_slow_program_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """p1 gets through all its rounds while p0's first program is still running."""
    problems = [make_problem(0, "slow"), make_problem(3, "quick")]
    quick_is_solved = threading.Event()

    def judge(code: str, tests: Tests) -> Execution:
        execution = number_judge(code, tests)
        if execution.passed and code == "answer = 3":
            quick_is_solved.set()
        elif execution.passed:
            assert quick_is_solved.wait(timeout=300)
        return execution

    initial = scripted_initial(problems, tmp_path)
    outcome = debug_problems(problems, initial, ScriptedEngine(), judge, CONFIG, tmp_path / "work")
    assert outcome.figures["solved"] == 2


def test_a_failing_judge_stops_the_run_with_its_own_error(
    problems: list[Problem], initial: pl.DataFrame, tmp_path: Path
) -> None:
    def judge(code: str, tests: Tests) -> Execution:
        raise InputError("bubblewrap is missing", remedy="Install bubblewrap")

    with pytest.raises(InputError, match="bubblewrap is missing"):
        debug_problems(problems, initial, ScriptedEngine(), judge, CONFIG, tmp_path)


def test_feedback_that_no_file_can_hold_is_made_so(tmp_path: Path) -> None:
    def judge(code: str, tests: Tests) -> Execution:
        return dataclasses.replace(number_judge(code, tests), message="half a pair: \ud800")

    problems = [make_problem(1)]
    initial = scripted_initial(problems, tmp_path)
    outcome = debug_problems(
        problems, initial, ScriptedEngine(), judge, DebugConfig(max_rounds=1), tmp_path / "work"
    )
    assert outcome.versions["feedback"][0] == "half a pair: ?"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"round": pl.lit(1, pl.Int32)}, "round"),
        ({"problem_id": pl.lit("p0")}, "sample"),
        ({"problem_id": "other-" + pl.col("problem_id")}, "problem_id"),
    ],
)
def test_initial_completions_that_do_not_fit_are_refused(
    problems: list[Problem],
    initial: pl.DataFrame,
    tmp_path: Path,
    change: dict[str, pl.Expr],
    field: str,
) -> None:
    broken = initial.with_columns(**change)
    with pytest.raises(InputError) as caught:
        debug_problems(problems, broken, ScriptedEngine(), number_judge, CONFIG, tmp_path)
    assert caught.value.field == field
    assert not (tmp_path / LOG).exists()


def test_progress_ends_at_all_trajectories_where_one_has_nothing_to_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    problems = [make_problem(0, "talks"), make_problem(0, "writes")]
    initial = scripted_initial(problems, tmp_path).with_columns(
        completion=pl.when(pl.col("problem_id") == "talks")
        .then(pl.lit("I cannot."))
        .otherwise("completion")
    )
    config = DebugConfig(max_rounds=0)
    with caplog.at_level(logging.INFO, "iterpref"):
        debug_problems(problems, initial, ScriptedEngine(), number_judge, config, tmp_path / "work")
    assert [record for record in caplog.records if "Debugging: 2/2" in record.getMessage()]
