"""Calls that fail end their items: counted, recorded, and asked again where that may help."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from drawn_samples import sample_problems
from scripted_server import ScriptedServer, answer, failure

from iterpref_assets.core.answer_log import failures_in
from iterpref_assets.core.conversations import LAB_PROMPTS, Prompts
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import Case, FunctionTests, Problem
from iterpref_assets.core.sampling import SamplingConfig

TESTS = FunctionTests(entry_point="f", cases=(Case(arguments="()", expected="1"),))
FILTERED = failure(400, "filtered by the content management policy", code="content_filter")
BROKEN = failure(500, "broken")


def sample(server: ScriptedServer, work: Path, *, share: float = 0.5, **options: Any):
    """One sample of each of ten problems, one after the other."""
    problems = [
        Problem(problem_id=f"p{n}", source="t", prompt=f"Do {n}.", tests=TESTS) for n in range(10)
    ]
    config = SamplingConfig(max_in_flight=1, max_failed_share=share)
    engine = server.engine(max_attempts=1, **options)
    return sample_problems(problems, engine, config, Prompts(LAB_PROMPTS), work)


def reasons(frame: pl.DataFrame) -> list[str]:
    return frame.sort("problem_id")["finish_reason"].to_list()


def test_a_filtered_prompt_ends_its_item_and_the_run_goes_on(server, tmp_path) -> None:
    server.script = [answer(), FILTERED, answer()]
    assert reasons(sample(server, tmp_path)) == ["stop", "filtered", *["stop"] * 8]


def test_a_filtered_prompt_is_not_asked_again_after_a_restart(server, tmp_path) -> None:
    server.script = [answer(), FILTERED, answer()]
    first = sample(server, tmp_path)
    asked = len(server.asked)
    assert sample(server, tmp_path).equals(first)
    assert len(server.asked) == asked


def test_what_the_server_could_not_answer_is_recorded_and_asked_again_after_a_restart(
    server, tmp_path
) -> None:
    server.script = [answer(), BROKEN, answer()]
    assert reasons(sample(server, tmp_path)) == ["stop", "unavailable", *["stop"] * 8]
    asked = len(server.asked)
    assert reasons(sample(server, tmp_path)) == ["stop"] * 10
    assert len(server.asked) == asked + 1


def test_a_run_ends_past_its_share_and_goes_on_with_a_larger_one(server, tmp_path) -> None:
    server.script = [answer(), FILTERED, FILTERED, answer()]
    with pytest.raises(InputError, match=r"filtered 2, first p1#0#0 \(400: .*p2#0#0") as caught:
        sample(server, tmp_path, share=0.1)
    assert caught.value.field == "max_failed_share"
    assert len(server.asked) == 3
    assert reasons(sample(server, tmp_path, share=0.2)) == [
        "stop",
        *["filtered"] * 2,
        *["stop"] * 7,
    ]
    assert len(server.asked) == 10


def test_after_a_run_that_ended_past_its_share_what_failed_is_asked_again(server, tmp_path) -> None:
    server.script = [answer(), FILTERED, FILTERED, answer()]
    with pytest.raises(InputError, match="2 of 3 calls"):
        sample(server, tmp_path, share=0.1)
    assert reasons(sample(server, tmp_path, share=0.1)) == ["stop"] * 10
    assert len(server.asked) == 3 + 9


def test_a_run_that_fails_again_ends_again(server, tmp_path) -> None:
    server.script = [answer(), FILTERED]
    for asked in (3, 5):
        with pytest.raises(InputError, match=r"filtered 2, first p1#0#0 .*p2#0#0"):
            sample(server, tmp_path, share=0.1)
        assert len(server.asked) == asked


def test_the_share_is_no_part_of_what_completions_depend_on() -> None:
    strict, lenient = SamplingConfig(max_failed_share=0.0), SamplingConfig(max_failed_share=1.0)
    assert strict.for_result() == lenient.for_result()


def test_tokens_that_nobody_counted_are_null(server, tmp_path) -> None:
    server.script = [answer(usage=None)]
    frame = sample(server, tmp_path)
    assert frame["prompt_tokens"].null_count() == frame["completion_tokens"].null_count() == 10


def test_the_engine_column_names_the_model_that_answered(server, tmp_path) -> None:
    server.script = [answer(model="the-model-2026-01-01"), answer()]
    engines = sample(server, tmp_path).sort("problem_id")["engine"].to_list()
    assert engines[0] == f"{engines[1]} (answered by the-model-2026-01-01)"


def test_failures_are_counted_by_kind_in_a_table() -> None:
    reasons = ["stop", "filtered", "length", "filtered", "refused"]
    assert failures_in(pl.DataFrame({"finish_reason": reasons})) == {"filtered": 2, "refused": 1}
