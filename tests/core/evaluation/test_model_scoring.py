import asyncio
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from iterpref_assets.core.conversations import LAB_PROMPTS, Prompts
from iterpref_assets.core.engines.protocol import Completion, FinishReason
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.model_scoring import score_tasks
from iterpref_assets.core.evaluation.tasks import Judgement, problem_tasks
from iterpref_assets.core.prompts import fenced
from iterpref_assets.core.records import Case, FunctionTests, Problem
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

SAMPLED = EvaluationConfig(samples=3, temperature=1.0)


@dataclass
class EchoEngine:
    """Answers with the seed as a program; later requests are answered first."""

    fail_after: int = 10**9
    requests: list = field(default_factory=list)
    entered: bool = False
    description: str = "echo"

    async def generate(self, request):
        assert self.entered
        self.requests.append(request)
        if len(self.requests) > self.fail_after:
            raise ConnectionError("engine lost")
        await asyncio.sleep(0.01 / len(self.requests))
        return Completion(
            request.key, fenced(str(request.seed)), 1, 1, FinishReason.STOP, request.seed
        )

    async def __aenter__(self):
        self.entered = True
        return self

    async def __aexit__(self, *error):
        self.entered = False


def generate_and_judge(tasks, engine, judge, config, work_dir):
    async def run():
        async with engine:
            return await score_tasks(tasks, engine, judge, config, work_dir)

    return asyncio.run(run())


@dataclass
class EvenJudge:
    """Passes even programs."""

    judged: list = field(default_factory=list)

    def judge(self, code, tests, limits=None):
        self.judged.append(code)
        passed = int(code) % 2 == 0
        return Execution(
            Verdict.PASSED if passed else Verdict.EXCEPTION, "" if passed else "OddError"
        )


LAB = Prompts(LAB_PROMPTS)


def problems(*names: str) -> list[Problem]:
    tests = FunctionTests(entry_point="f", cases=(Case(arguments="(1,)", expected="2"),))
    return [
        Problem(problem_id=name, source="test", prompt=f"Solve {name}", tests=tests)
        for name in names
    ]


def test_every_sample_of_every_task_gets_one_row_in_order(tmp_path):
    scores = generate_and_judge(
        problem_tasks(problems("b", "a"), LAB), EchoEngine(), EvenJudge(), SAMPLED, tmp_path
    )
    keys = scores.select("task_id", "sample").rows()
    assert keys == [("b", 0), ("b", 1), ("b", 2), ("a", 0), ("a", 1), ("a", 2)]


def test_a_row_holds_what_its_own_completion_came_to(tmp_path):
    scores = generate_and_judge(
        problem_tasks(problems("a"), LAB), EchoEngine(), EvenJudge(), SAMPLED, tmp_path
    )
    for row in scores.iter_rows(named=True):
        even = int(row["code"]) % 2 == 0
        assert row["completion"] == fenced(row["code"])
        assert row["base_passed"] == even
        assert row["verdict"] == ("passed" if even else "exception")
        assert row["error_type"] == ("" if even else "OddError")
        assert row["plus_passed"] is None


def test_samples_have_seeds_of_their_own_that_do_not_change(tmp_path):
    seeds = []
    for folder in ("first", "second"):
        engine = EchoEngine()
        generate_and_judge(
            problem_tasks(problems("a", "b"), LAB), engine, EvenJudge(), SAMPLED, tmp_path / folder
        )
        seeds.append({request.key: request.seed for request in engine.requests})
    assert seeds[0] == seeds[1]
    assert len(set(seeds[0].values())) == 6


def test_a_failure_of_the_engine_is_raised_as_itself_and_loses_nothing(tmp_path):
    config = SAMPLED.model_copy(update={"in_flight": 1})
    tasks = problem_tasks(problems("a", "b"), LAB)
    with pytest.raises(ConnectionError, match="engine lost"):
        generate_and_judge(tasks, EchoEngine(fail_after=4), EvenJudge(), config, tmp_path)
    engine, judge = EchoEngine(), EvenJudge()
    scores = generate_and_judge(tasks, engine, judge, config, tmp_path)
    assert [request.key for request in engine.requests] == ["b#0#1", "b#0#2"]
    assert len(judge.judged) == 2
    assert scores.height == 6


def test_a_resumed_run_gives_what_an_uninterrupted_one_gives(tmp_path):
    tasks = problem_tasks(problems("a", "b", "c"), LAB)
    whole = generate_and_judge(tasks, EchoEngine(), EvenJudge(), SAMPLED, tmp_path / "whole")
    with pytest.raises(ConnectionError):
        generate_and_judge(tasks, EchoEngine(fail_after=5), EvenJudge(), SAMPLED, tmp_path / "cut")
    resumed = generate_and_judge(tasks, EchoEngine(), EvenJudge(), SAMPLED, tmp_path / "cut")
    assert resumed.equals(whole)


def test_the_engine_is_freed_after_a_failure(tmp_path):
    engine = EchoEngine(fail_after=0)
    with pytest.raises(ConnectionError):
        generate_and_judge(
            problem_tasks(problems("a"), LAB), engine, EvenJudge(), SAMPLED, tmp_path
        )
    assert not engine.entered


def test_no_tasks_are_refused(tmp_path):
    with pytest.raises(InputError, match="no tasks"):
        generate_and_judge([], EchoEngine(), EvenJudge(), SAMPLED, tmp_path)


def test_a_task_that_occurs_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match="task a occurs twice"):
        generate_and_judge(
            problem_tasks(problems("a", "a"), LAB), EchoEngine(), EvenJudge(), SAMPLED, tmp_path
        )


@dataclass
class HeldTask:
    """A task whose programs are only found once the engine has answered every request."""

    answered: threading.Event = field(default_factory=threading.Event)
    task_id: str = "a"
    messages: tuple = ()
    stops: tuple = ()

    def program(self, completion):
        assert self.answered.wait(300), "the engine stood still meanwhile"
        return completion

    def judge(self, code, sandbox):
        return Judgement(Execution(Verdict.PASSED))


@dataclass
class SlowingEngine(EchoEngine):
    """Answers the first request at once and later ones only after a while."""

    task: HeldTask = field(default_factory=HeldTask)

    async def generate(self, request):
        self.requests.append(request)
        if len(self.requests) > 1:
            await asyncio.sleep(0.05)
            self.task.answered.set()
        return Completion(request.key, "x = 1", 1, 1, FinishReason.STOP, request.seed)


def test_generation_goes_on_while_a_program_is_looked_for(tmp_path):
    engine = SlowingEngine()
    config = SAMPLED.model_copy(update={"samples": 2})
    scores = generate_and_judge([engine.task], engine, None, config, tmp_path)
    assert scores["verdict"].to_list() == ["passed", "passed"]


@dataclass
class SilentEngine(EchoEngine):
    """Says that the prompt is too long for its context."""

    async def generate(self, request):
        return Completion(request.key, "", 9, 0, FinishReason.PROMPT_TOO_LONG, request.seed)


@pytest.mark.parametrize(("has_plus", "plus_passed"), [(False, None), (True, False)])
def test_a_prompt_that_is_too_long_fails_with_that_reason_and_runs_nothing(
    tmp_path, has_plus, plus_passed
):
    task = SimpleNamespace(task_id="a", messages=(), stops=(), has_plus=has_plus)
    scores = generate_and_judge([task], SilentEngine(), None, EvaluationConfig(), tmp_path)
    (row,) = scores.rows(named=True)
    assert (row["verdict"], row["error_type"]) == ("prompt_too_long", "")
    assert (row["base_passed"], row["plus_passed"]) == (False, plus_passed)


@pytest.mark.parametrize(
    ("text", "reason", "verdict"),
    [
        ("I cannot help with that.", FinishReason.STOP, "refusal"),
        ("First I read the", FinishReason.LENGTH, "cut_off"),
        ("", FinishReason.STOP, "empty"),
    ],
)
def test_an_answer_without_a_program_fails_and_says_why(tmp_path, text, reason, verdict):
    class WordyEngine(EchoEngine):
        async def generate(self, request):
            return Completion(request.key, text, 1, 1, reason, request.seed)

    config = SAMPLED.model_copy(update={"samples": 1})
    tasks = problem_tasks(problems("a"), LAB)
    scores = generate_and_judge(tasks, WordyEngine(), EvenJudge(), config, tmp_path)
    assert scores.select("verdict", "code", "base_passed").rows() == [(verdict, "", False)]


@pytest.mark.parametrize(
    ("config", "said"), [(EvaluationConfig(), "Scoring greedy"), (SAMPLED, "Scoring sampled")]
)
def test_its_progress_says_how_completions_are_drawn(tmp_path, caplog, config, said):
    with caplog.at_level("INFO"):
        generate_and_judge(
            problem_tasks(problems("a"), LAB), EchoEngine(), EvenJudge(), config, tmp_path
        )
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"{said}: ")
