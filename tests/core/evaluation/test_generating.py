"""Samples files that a model fills, with an engine that a test scripts."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from engine_double import OpenEngine

from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.generating import Generated, generate_samples, log_beside
from iterpref_assets.core.evaluation.model_scoring import score_tasks
from iterpref_assets.core.evaluation.tasks import Judgement
from iterpref_assets.core.prompts import Message, Role
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

GREEDY = EvaluationConfig()


@dataclass(frozen=True)
class Asked:
    """A question whose program is its answer in capitals."""

    task_id: str
    messages: tuple[Message, ...] = (Message(Role.USER, "Solve it."),)
    stops: tuple[str, ...] = ("the end",)
    has_plus: bool = False

    def program(self, completion: str) -> str:
        return completion.upper()

    def judge(self, code: str, sandbox: None) -> Judgement:
        return Judgement(Execution(Verdict.PASSED))


@dataclass
class Scripted(OpenEngine):
    """Answers each key with it; a key among `failing` gets no answer, one named `dies` ends it."""

    failing: frozenset[str] = frozenset()
    dies: str = ""
    requests: list[Request] = field(default_factory=list)
    description = "scripted"

    async def generate(self, request: Request) -> Completion:
        await asyncio.sleep(0)
        if request.key == self.dies:
            raise ConnectionError
        self.requests.append(request)
        failed = request.key in self.failing
        reason = FinishReason.UNAVAILABLE if failed else FinishReason.STOP
        text = "" if failed else f"said {request.key}"
        return Completion(request.key, text, 1, 1, reason, request.seed)


def generate(
    folder: Path,
    names: Sequence[str],
    engine: Scripted,
    config: EvaluationConfig = GREEDY,
    share: float = 1.0,
) -> Generated:
    questions = {name: Asked(name) for name in names}
    return generate_samples(questions, engine, config, folder / "out.jsonl", {"model": "m"}, share)


def lines(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def test_a_line_holds_task_program_and_whole_answer(tmp_path: Path) -> None:
    generate(tmp_path, ["T/1"], Scripted())
    (line,) = lines(tmp_path)
    assert line == {"task_id": "T/1", "solution": "SAID T/1#0#0", "answer": "said T/1#0#0"}


def test_lines_are_in_the_order_of_the_tasks_then_of_samples(tmp_path: Path) -> None:
    config = EvaluationConfig(samples=2, temperature=0.5)
    generate(tmp_path, ["T/10", "T/9"], Scripted(), config)
    assert [line["solution"] for line in lines(tmp_path)] == [
        "SAID T/10#0#0", "SAID T/10#0#1", "SAID T/9#0#0", "SAID T/9#0#1",
    ]  # fmt: skip


def test_the_requests_are_those_of_the_benchmark_assets(tmp_path: Path) -> None:
    config = EvaluationConfig(samples=2, temperature=0.5, seed=7)
    mine, theirs = Scripted(), Scripted()
    generate(tmp_path, ["T/1", "T/2"], mine, config)
    tasks = [Asked("T/1"), Asked("T/2")]
    asyncio.run(score_tasks(tasks, theirs, None, config, tmp_path / "work"))
    assert sorted(mine.requests, key=lambda each: each.key) == sorted(
        theirs.requests, key=lambda each: each.key
    )


def test_an_engine_is_told_where_the_program_ends(tmp_path: Path) -> None:
    engine = Scripted()
    generate(tmp_path, ["T/1"], engine)
    assert [request.stops for request in engine.requests] == [("the end",)]


def test_a_run_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    one_at_a_time = EvaluationConfig(in_flight=1)
    with pytest.raises(ConnectionError):
        generate(tmp_path, ["a", "b", "c"], Scripted(dies="c#0#0"), one_at_a_time)
    again = Scripted()
    generate(tmp_path, ["a", "b", "c"], again, one_at_a_time)
    assert [request.key for request in again.requests] == ["c#0#0"]
    assert [line["task_id"] for line in lines(tmp_path)] == ["a", "b", "c"]


def test_more_samples_keep_those_that_are_there(tmp_path: Path) -> None:
    generate(tmp_path, ["a"], Scripted(), EvaluationConfig(temperature=1, samples=1))
    more = Scripted()
    generate(tmp_path, ["a"], more, EvaluationConfig(temperature=1, samples=3))
    assert [request.key for request in more.requests] == ["a#0#1", "a#0#2"]
    assert len(lines(tmp_path)) == 3


def test_fewer_tasks_or_samples_leave_the_others_out_of_the_file(tmp_path: Path) -> None:
    generate(tmp_path, ["a", "b"], Scripted(), EvaluationConfig(temperature=1, samples=2))
    generate(tmp_path, ["b"], Scripted(), EvaluationConfig(temperature=1, samples=1))
    assert [line["solution"] for line in lines(tmp_path)] == ["SAID B#0#0"]


def test_a_call_without_an_answer_is_an_empty_program_and_asked_again_later(tmp_path: Path) -> None:
    done = generate(tmp_path, ["a", "b"], Scripted(failing=frozenset({"a#0#0"})))
    assert done == Generated(samples=2, empty=1, failures={"unavailable": 1})
    assert lines(tmp_path)[0]["solution"] == ""
    again = Scripted()
    assert generate(tmp_path, ["a", "b"], again).empty == 0
    assert [request.key for request in again.requests] == ["a#0#0"]


def test_more_failures_than_the_budget_end_the_run_before_a_file_is_written(tmp_path: Path) -> None:
    failing = Scripted(failing=frozenset({"a#0#0", "b#0#0"}))
    with pytest.raises(InputError, match="2 of 2 calls gave no answer: unavailable"):
        generate(tmp_path, ["a", "b"], failing, share=0.1)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_file_of_other_options_is_refused_by_the_option(tmp_path: Path) -> None:
    generate(tmp_path, ["a"], Scripted(), EvaluationConfig(max_tokens=10))
    with pytest.raises(InputError, match=r"out\.completions\.jsonl: field 'max_tokens'"):
        generate(tmp_path, ["a"], Scripted(), EvaluationConfig(max_tokens=20))


def test_bare_text_has_no_answer_beside_its_program(tmp_path: Path) -> None:
    asked = {"a": Asked("a", messages=(Message(Role.TEXT, "def f():"),))}
    generate_samples(asked, Scripted(), GREEDY, tmp_path / "out.jsonl", {}, 1.0)
    assert lines(tmp_path) == [{"task_id": "a", "solution": "SAID A#0#0"}]


def test_what_was_begun_for_the_model_is_part_of_its_answer(tmp_path: Path) -> None:
    begun = (Message(Role.USER, "?"), Message(Role.ASSISTANT, "Begun:\n"))
    generate_samples({"a": Asked("a", begun)}, Scripted(), GREEDY, tmp_path / "out.jsonl", {}, 1.0)
    assert lines(tmp_path)[0]["answer"] == "Begun:\nsaid a#0#0"


def test_a_samples_file_is_named_jsonl() -> None:
    with pytest.raises(InputError, match=r"End --out in \.jsonl"):
        log_beside(Path("samples.json"))
