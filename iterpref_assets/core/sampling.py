"""Independent samples of every problem: round 0 of debugging, and the whole of pass@k."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic

import polars as pl
from pydantic import Field, JsonValue

from iterpref_assets.core.answer_log import AnswerLog
from iterpref_assets.core.concurrency import for_each
from iterpref_assets.core.conversations import Prompts
from iterpref_assets.core.engines.protocol import (
    Completion,
    Engine,
    Request,
    Sampling,
    told_engine,
)
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.journal import Journal, storable
from iterpref_assets.core.progress import track
from iterpref_assets.core.prompts import Message
from iterpref_assets.core.randomness import derive_seed
from iterpref_assets.core.records import Problem, Record
from iterpref_assets.core.tables import COMPLETIONS

LOG = "completions.jsonl"
COMPLETION = "completion"
ORDER = ["problem_id", "sample", "round"]


NOT_OF_THE_RESULT = {"max_in_flight", "max_failed_share"}
"""Options that change no completion."""


class GenerationConfig(Record):
    """How completions are drawn."""

    temperature: float = Field(1.0, ge=0, description="0 is greedy")
    top_p: float = Field(1.0, gt=0, le=1, description="Share of the probability that is drawn from")
    max_tokens: int = Field(1024, gt=0, description="Longest completion, tokens")
    seed: int = Field(
        default=0,
        description="Parent of each completion's own seed, with problem, round and sample",
    )
    max_in_flight: int = Field(
        320, gt=0, description="Conversations held at once; it bounds memory and changes no result"
    )
    max_failed_share: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Calls that may give no answer, as a share of 1; more end the run. One alone "
        "never does, unless the share is 0",
    )

    def sampling_in(self, round_: int) -> Sampling:  # noqa: ARG002 - debugging's differ by round
        """What each request of a round asks of its engine."""
        return Sampling(self.temperature, self.top_p, self.max_tokens)

    def for_result(self) -> dict[str, JsonValue]:
        """The options that completions depend on: all but concurrency and the failure budget."""
        return self.model_dump(mode="json", exclude=NOT_OF_THE_RESULT)


class SamplingConfig(GenerationConfig):
    """How round 0 is drawn."""

    samples_per_problem: int = Field(1, gt=0, description="Independent completions of each problem")


async def draw_samples(
    problems: Sequence[Problem],
    engine: Engine,
    config: SamplingConfig,
    prompts: Prompts,
    work_dir: Path,
    given: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Draw `config.samples_per_problem` completions of each problem, with an entered engine.

    Each finished one is logged in `work_dir`; a restart with the same folder repeats none.

    Args:
        problems: what to solve.
        engine: draws completions.
        config: how, and how many.
        prompts: what the engine is asked.
        work_dir: where finished completions are kept.
        given: samples that are there already and are not drawn, tables.COMPLETIONS.

    Returns:
        tables.COMPLETIONS, round 0, sorted by (problem_id, sample, round).

    Raises:
        InputError: where there is no problem, two share an id, the folder holds other work, or
            more calls gave no answer than `config.max_failed_share` allows.
    """
    check_problems(problems)
    by_id = {problem.problem_id: problem for problem in problems}
    return await draw_completions(
        list(by_id),
        lambda name: prompts.solve(by_id[name]),
        engine,
        config,
        work_dir / LOG,
        logged_settings(config, prompts),
        given,
    )


async def draw_completions(
    names: Sequence[str],
    conversation: Callable[[str], tuple[Message, ...]],
    engine: Engine,
    config: SamplingConfig,
    file: Path,
    settings: Mapping[str, JsonValue],
    given: pl.DataFrame | None = None,
    stops: Callable[[str], tuple[str, ...]] = lambda _name: (),
) -> pl.DataFrame:
    """Draw `config.samples_per_problem` completions of each name's conversation.

    Args:
        names: of problems or tasks, each once.
        conversation: what the engine is asked for a name.
        engine: an entered one.
        config: how, and how many.
        file: the log of finished completions; a restart with the same file repeats none.
        settings: what logged completions depend on; a log of others is refused.
        given: as in `draw_samples`.
        stops: texts behind which nothing of a name's completions is read.

    Returns:
        tables.COMPLETIONS, round 0, sorted by (problem_id, sample, round).

    Raises:
        InputError: where the log is of other work, or more calls gave no answer than
            `config.max_failed_share` allows.
    """
    given = pl.DataFrame(schema=COMPLETIONS) if given is None else given
    total = len(names) * config.samples_per_problem
    with Journal(file, settings) as journal, track("Sampling", total) as tracker:
        log = AnswerLog(journal, COMPLETION, share=config.max_failed_share, total=total)
        done = {*given["key"], *(row["key"] for _, row in journal.records())}
        tracker.resume(len(done))
        started, tokens = monotonic(), 0

        async def draw(item: tuple[str, int]) -> None:
            nonlocal tokens
            name, sample = item
            request = make_request(config, name, 0, sample, conversation(name), stops=stops(name))
            completion = await engine.generate(request)
            log.keep(completion_row(name, 0, sample, completion, engine.description), completion)
            tokens += completion.completion_tokens or 0
            tracker.advance(tokens_per_second=tokens / (monotonic() - started))

        await for_each(_missing(names, config, done), config.max_in_flight, draw)
        log.tell("Sampling")
        return pl.concat([given, log.table(COMPLETIONS, ORDER)]).sort(ORDER)


def check_problems(problems: Sequence[Problem]) -> None:
    """Refuse an empty set of problems, and one in which two share an id.

    Raises:
        InputError: naming the id.
    """
    if not problems:
        raise InputError("there are no problems", remedy="Give at least one problem")
    ids = Counter(problem.problem_id for problem in problems)
    name, count = ids.most_common(1)[0]
    if count > 1:
        raise InputError(
            f"problem {name} occurs {count} times", field="problem_id", remedy="Keep one of them"
        )


def logged_settings(config: GenerationConfig, prompts: Prompts) -> dict[str, JsonValue]:
    """What logged completions depend on."""
    return {**config.for_result(), "prompts": prompts.identity()}


def completion_key(problem_id: str, round_: int, sample: int, retry: int = 0) -> str:
    """The name of one completion; `#` occurs in no problem's id."""
    return f"{problem_id}#{round_}#{sample}" + (f"#{retry}" if retry else "")


def make_request(
    config: GenerationConfig,
    problem_id: str,
    round_: int,
    sample: int,
    conversation: tuple[Message, ...],
    retry: int = 0,
    stops: tuple[str, ...] = (),
) -> Request:
    """The request for one completion, with the seed that is its own."""
    place = (problem_id, round_, sample, *((retry,) if retry else ()))
    return Request(
        key=completion_key(problem_id, round_, sample, retry),
        messages=conversation,
        sampling=config.sampling_in(round_),
        seed=derive_seed(config.seed, *place),
        stops=stops,
    )


def completion_row(
    problem_id: str, round_: int, sample: int, completion: Completion, engine: str
) -> dict[str, str | int | None]:
    """A row of tables.COMPLETIONS; `engine` is the engine's description."""
    return {
        "key": completion.key,
        "problem_id": problem_id,
        "sample": sample,
        "round": round_,
        "completion": storable(completion.text),
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": completion.completion_tokens,
        "finish_reason": completion.finish_reason.value,
        "seed": completion.seed,
        "engine": storable(told_engine(engine, completion)),
    }


def _missing(
    names: Sequence[str], config: SamplingConfig, done: set[str]
) -> Iterator[tuple[str, int]]:
    for name in names:
        for sample in range(config.samples_per_problem):
            if completion_key(name, 0, sample) not in done:
                yield name, sample
