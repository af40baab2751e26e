"""Score a samples file on a benchmark: judge what has no score yet, keep each, sum up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue

from iterpref_assets.core.evaluation.official_results import write_official
from iterpref_assets.core.evaluation.sample_summary import SampleSummary, summarize_samples
from iterpref_assets.core.evaluation.samples import Sample, SampleFile, read_samples
from iterpref_assets.core.evaluation.scores import (
    SampleStatus,
    Score,
    score_of,
    score_without_run,
    statuses_of,
)
from iterpref_assets.core.evaluation.selection import select_tasks
from iterpref_assets.core.evaluation.suite import PreparedBenchmark, Suite
from iterpref_assets.core.files import replace_text
from iterpref_assets.core.journal import Journal
from iterpref_assets.core.progress import track

RESULTS, SUMMARY, JOURNAL = "results.jsonl", "summary.json", "journal.jsonl"
SCORE = "score"
LOG_FORMAT = 2
"""Of the log's lines: a log of another format is refused by name, not by its first line."""

JudgeT = TypeVar("JudgeT")


@dataclass(frozen=True, slots=True)
class SampleRun:
    """What every run is given.

    Attributes:
        samples: the samples file, or folder.
        out: the folder for results and summary.
        cache: where expected outputs and what references came to are kept between runs.
        workers: programs run at once.
        skip_invalid: count invalid lines of the samples file instead of refusing it.
        answers: whether the file holds whole answers, which programs are taken from.
        tasks: ids and ranges of the tasks to score, "" for all.
        official_results: whether to write the files of the benchmark's own harness too.
    """

    samples: Path
    out: Path
    cache: Path
    workers: int
    skip_invalid: bool = False
    answers: bool = False
    tasks: str = ""
    official_results: bool = False


def score_file(suite: Suite, run: SampleRun) -> tuple[SampleSummary, list[Path]]:
    """Score the samples; the file is read and checked before a sandbox starts.

    Returns the summary, and the files of the benchmark's own form that were written.

    Raises:
        InputError: where the file is malformed, or a reference solution fails for no known reason.
    """
    prompts = suite.facts.prompts
    chosen = select_tasks(run.tasks, list(prompts)) if run.tasks else frozenset(prompts)
    file = read_samples(
        run.samples,
        prompts,
        skip_invalid=run.skip_invalid,
        answers=suite.program if run.answers else None,
    ).of_tasks(chosen)
    sampled = {sample.task_id for sample in file.samples}
    with suite.open_sandbox(run.workers, wait=False) as sandbox:
        benchmark = suite.ready(sandbox, run.cache, run.workers, sampled)
        scores, summary = score_samples(benchmark, file, sandbox, run.out, run.workers, len(chosen))
    if not run.official_results:
        return summary, []
    return summary, write_official(run.samples, run.out, summary, scores)


def score_samples(
    benchmark: PreparedBenchmark[JudgeT],
    file: SampleFile,
    sandbox: JudgeT,
    out: Path,
    workers: int,
    asked: int | None = None,
) -> tuple[list[Score], SampleSummary]:
    """Judge every sample that `out` holds no result of, and write results and summary there.

    `asked` is how many tasks samples were asked for, where that is more than `benchmark` holds.
    `out/journal.jsonl` grows by one line per sample that was run, so a restart repeats none; at the
    end `out/results.jsonl` holds them in the order of the samples file. A sample whose task cannot
    run here leaves no line there: it is judged once it can.

    Raises:
        InputError: where `out` holds results of other data or made with other libraries, or another
            process writes there.
    """
    started = time.monotonic()
    with Journal(out / JOURNAL, _settings(benchmark)) as journal:
        logged = (Score.model_validate(row) for _, row in journal.records())
        known = {_identity(score): score for score in logged}
        wanted = {(sample.task_id, sample.sample, sample.sha256): sample for sample in file.samples}
        missing = [sample for key, sample in wanted.items() if key not in known]
        with track("Judging", len(wanted)) as tracker:
            if len(missing) < len(wanted):
                tracker.resume(len(wanted) - len(missing))

            def keep(score: Score) -> None:
                if score.base_status is not SampleStatus.NOT_RUN:
                    journal.append(SCORE, score.model_dump(mode="json"))
                known[_identity(score)] = score
                tracker.advance()

            judge_samples(benchmark, missing, sandbox, workers, keep)
    scores = [known[key] for key in wanted]
    replace_text(out / RESULTS, "".join(score.model_dump_json() + "\n" for score in scores))
    summary = summarize_samples(
        benchmark,
        scores,
        seconds=time.monotonic() - started,
        invalid=file.invalid,
        fenced=sum(sample.looks_fenced for sample in file.samples),
        asked=len(benchmark.tasks) if asked is None else asked,
    )
    replace_text(out / SUMMARY, summary.model_dump_json(indent=2) + "\n")
    return scores, summary


def judge_sample(benchmark: PreparedBenchmark[JudgeT], sample: Sample, sandbox: JudgeT) -> Score:
    """The score of one sample."""
    name, number, code = sample.task_id, sample.sample, sample.code
    reason = benchmark.not_run.get(name)
    if reason is not None:
        status = SampleStatus.NOT_RUN
        return score_without_run(name, number, code, status, status.value, reason=reason)
    judgement = benchmark.tasks[name].judge(code, sandbox)
    fault = benchmark.listed_fault(name, statuses_of(judgement))
    return score_of(name, number, code, judgement, completion=sample.answer, evalplus_status=fault)


def judge_samples(
    benchmark: PreparedBenchmark[JudgeT],
    samples: Sequence[Sample],
    sandbox: JudgeT,
    workers: int,
    keep: Callable[[Score], None],
) -> None:
    """Judge samples on `workers` threads and hand each score to `keep` as it comes.

    The tasks that take longest come first: one of them, begun last, would keep a single worker
    busy while the others have nothing left to do.
    """
    costs = benchmark.cpu_seconds
    longest_first = sorted(samples, key=lambda sample: -costs.get(sample.task_id, 0.0))
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(judge_sample, benchmark, each, sandbox) for each in longest_first]
        try:
            for future in as_completed(futures):
                keep(future.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _settings(benchmark: PreparedBenchmark[JudgeT]) -> dict[str, JsonValue]:
    """What a logged score depends on besides its program."""
    return {
        **benchmark.source.model_dump(),
        "libraries": {**benchmark.libraries},
        "rules": benchmark.rules,
        "limits": {**benchmark.limits.given, **benchmark.program_limits},
        "plus": any(task.has_plus for task in benchmark.tasks.values()),
        "format": LOG_FORMAT,
        "judging": benchmark.judging,
    }


def _identity(score: Score) -> tuple[str, int, str]:
    return score.task_id, score.sample, score.program_sha256
