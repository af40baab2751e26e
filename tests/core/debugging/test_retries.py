"""Rounds that ask again, in whole runs: what is asked, kept and resumed."""

import json
from pathlib import Path

import polars as pl
from debugging_doubles import (
    LAB,
    ScriptedEngine,
    debug_problems,
    make_problem,
    number_judge,
    scripted_initial,
)

from iterpref_assets.core.conversations import PromptConfig, Prompts
from iterpref_assets.core.debugging.loop import LOG
from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request
from iterpref_assets.core.prompts import fenced

CONFIG = DebugConfig(max_rounds=3)
CHAT = Prompts(PromptConfig(retries=1, example_test=False))


class RepeatingEngine(ScriptedEngine):
    """Gives the program of the round before, and refuses in round 2, unless asked again."""

    async def generate(self, request: Request) -> Completion:
        self.requests.append(request)
        _, round_, _, *retry = request.key.split("#")
        number = int(round_) if retry else int(round_) - 1
        text = (
            "I cannot help with that."
            if round_ == "2" and not retry
            else fenced(f"answer = {number}")
        )
        return Completion(request.key, text, 9, 4, FinishReason.STOP, request.seed)


def test_a_round_asks_again_and_keeps_the_program_that_is_new(tmp_path: Path) -> None:
    problems = [make_problem(3)]
    initial = scripted_initial(problems, tmp_path)
    engine = RepeatingEngine()
    outcome = debug_problems(
        problems, initial, engine, number_judge, CONFIG, tmp_path / "work", CHAT
    )
    assert outcome.versions["code"].to_list() == [f"answer = {number}" for number in range(4)]
    asked = [request.key.removeprefix("p3#") for request in engine.requests]
    assert asked == ["1#0", "1#0#1", "2#0", "2#0#1", "3#0", "3#0#1"]
    assert outcome.completions["key"].to_list() == [request.key for request in engine.requests]
    assert len({request.seed for request in engine.requests}) == 6
    assert "tried before" in engine.requests[1].messages[-1].content
    assert "tried before" not in engine.requests[3].messages[-1].content
    assert outcome.figures["no_program"] == {"refusal": 1}
    assert outcome.figures["unchanged"] == 0


def test_the_lab_is_never_asked_again(tmp_path: Path) -> None:
    problems = [make_problem(3)]
    initial = scripted_initial(problems, tmp_path)
    outcome = debug_problems(
        problems, initial, RepeatingEngine(), number_judge, CONFIG, tmp_path / "work", LAB
    )
    assert outcome.versions.select("round", "code").rows() == [
        (0, "answer = 0"),
        (1, "answer = 0"),
        (3, "answer = 2"),
    ]
    assert outcome.figures["unchanged"] == 1


def test_cut_off_after_any_record_a_run_that_asks_again_resumes_and_repeats_nothing(
    tmp_path: Path,
) -> None:
    problems = [make_problem(3)]
    initial = scripted_initial(problems, tmp_path)
    whole = debug_problems(
        problems, initial, RepeatingEngine(), number_judge, CONFIG, tmp_path / "whole", CHAT
    )
    lines = (tmp_path / "whole" / LOG).read_bytes().splitlines(keepends=True)
    for kept in range(1, len(lines) + 1):
        folder = tmp_path / str(kept)
        folder.mkdir()
        (folder / LOG).write_bytes(b"".join(lines[:kept]))
        engine = RepeatingEngine()
        again = debug_problems(problems, initial, engine, number_judge, CONFIG, folder, CHAT)
        assert again.versions.equals(whole.versions)
        assert again.completions.equals(whole.completions)
        before = sum(json.loads(line).get("kind") == "completion" for line in lines[1:kept])
        assert len(engine.requests) == whole.completions.height - before


def test_a_run_without_any_program_ends_with_figures(tmp_path: Path) -> None:
    problems = [make_problem(3)]
    initial = scripted_initial(problems, tmp_path).with_columns(
        completion=pl.lit("I cannot help with that.")
    )

    class Refusing(ScriptedEngine):
        async def generate(self, request: Request) -> Completion:
            return Completion(
                request.key, "I cannot help with that.", 9, 4, FinishReason.STOP, request.seed
            )

    outcome = debug_problems(
        problems, initial, Refusing(), number_judge, CONFIG, tmp_path / "work", CHAT
    )
    assert outcome.versions.is_empty()
    assert outcome.figures["no_program"] == {"refusal": 7}
    assert outcome.figures["pass_rate_by_round"] == [0, 0, 0, 0]
