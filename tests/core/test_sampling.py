import asyncio
from pathlib import Path

import polars as pl
import pytest
from drawn_samples import sample_problems
from engine_double import OpenEngine

from iterpref_assets.core.conversations import LAB_PROMPTS, Prompts
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request, Sampling
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.prompts import problem_conversation
from iterpref_assets.core.randomness import derive_seed
from iterpref_assets.core.records import Case, FunctionTests, Problem
from iterpref_assets.core.sampling import SamplingConfig, draw_samples

TESTS = FunctionTests(entry_point="f", cases=(Case(arguments="()", expected="1"),))

LAB = Prompts(LAB_PROMPTS)


class EchoEngine(OpenEngine):
    """Answers with the request's key; fails at the request numbered `fails_at`.

    It answers nothing before it is asked `at_once` things at once.
    """

    description = "echo"

    def __init__(self, fails_at: int | None = None, at_once: int = 0) -> None:
        self.requests: list[Request] = []
        self.fails_at = fails_at
        self.active = self.most_active = 0
        self.at_once, self.crowded = at_once, asyncio.Event()

    async def generate(self, request: Request) -> Completion:
        if len(self.requests) == self.fails_at:
            raise ConnectionError("the server went away")
        self.requests.append(request)
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        if self.active >= self.at_once:
            self.crowded.set()
        async with asyncio.timeout(300):
            await self.crowded.wait()
        await asyncio.sleep(0.01 if self.at_once else 0)
        self.active -= 1
        return Completion(request.key, request.key, 1, 2, FinishReason.STOP, request.seed)


def make_problems(*ids: str) -> list[Problem]:
    return [Problem(problem_id=name, source="t", prompt=f"Do {name}.", tests=TESTS) for name in ids]


def test_every_problem_is_sampled_as_often_as_asked_in_sorted_order(tmp_path: Path) -> None:
    config = SamplingConfig(samples_per_problem=2)
    frame = sample_problems(make_problems("b", "a"), EchoEngine(), config, LAB, tmp_path)
    assert frame.select("problem_id", "sample", "round").rows() == [
        ("a", 0, 0), ("a", 1, 0), ("b", 0, 0), ("b", 1, 0),
    ]  # fmt: skip


def test_a_request_carries_the_problem_its_own_seed_and_the_sampling(tmp_path: Path) -> None:
    engine = EchoEngine()
    config = SamplingConfig(temperature=0.5, top_p=0.9, max_tokens=7, seed=3)
    sample_problems(make_problems("a"), engine, config, LAB, tmp_path)
    assert engine.requests == [
        Request(
            "a#0#0", problem_conversation("Do a."), Sampling(0.5, 0.9, 7), derive_seed(3, "a", 0, 0)
        )
    ]


def test_after_an_engine_failure_a_restart_generates_only_what_is_missing(tmp_path: Path) -> None:
    problems, config = make_problems("a", "b", "c", "d"), SamplingConfig(max_in_flight=1)
    with pytest.raises(ConnectionError):
        sample_problems(problems, EchoEngine(fails_at=3), config, LAB, tmp_path)
    engine = EchoEngine()
    frame = sample_problems(problems, engine, config, LAB, tmp_path)
    assert [request.key for request in engine.requests] == ["d#0#0"]
    assert frame["completion"].to_list() == ["a#0#0", "b#0#0", "c#0#0", "d#0#0"]


def test_as_many_requests_as_allowed_are_in_flight_and_no_more(tmp_path: Path) -> None:
    engine = EchoEngine(at_once=4)
    config = SamplingConfig(samples_per_problem=20, max_in_flight=4)
    sample_problems(make_problems("a"), engine, config, LAB, tmp_path)
    assert engine.most_active == 4


def test_a_problem_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="problem a occurs 2 times"):
        sample_problems(make_problems("a", "a"), EchoEngine(), SamplingConfig(), LAB, tmp_path)


def test_no_problems_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no problems"):
        sample_problems([], EchoEngine(), SamplingConfig(), LAB, tmp_path)


def test_given_samples_are_kept_and_not_drawn(tmp_path: Path) -> None:
    problems, config = make_problems("a", "b"), SamplingConfig(samples_per_problem=2)
    drawn = sample_problems(problems, EchoEngine(), config, LAB, tmp_path / "first")
    given = drawn.filter(problem_id="b", sample=0).with_columns(completion=pl.lit("given"))
    engine = EchoEngine()
    found = asyncio.run(draw_samples(problems, engine, config, LAB, tmp_path / "second", given))
    assert sorted(request.key for request in engine.requests) == ["a#0#0", "a#0#1", "b#0#1"]
    assert found["completion"].to_list() == ["a#0#0", "a#0#1", "given", "b#0#1"]
