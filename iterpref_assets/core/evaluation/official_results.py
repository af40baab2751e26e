"""Results in the form that each benchmark's own harness writes, for tools that read it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from iterpref_assets.core.evaluation.sample_summary import SampleSummary
from iterpref_assets.core.evaluation.scores import SampleStatus, Score
from iterpref_assets.core.files import replace_text

EVALPLUS = ("humaneval", "mbpp")
WHEN = "%Y-%m-%d %H:%M"


def write_official(
    samples: Path, out: Path, summary: SampleSummary, scores: Sequence[Score]
) -> list[Path]:
    """Write the official files to `out`, named after the samples file; which ones.

    evalplus and BigCodeBench: `NAME_eval_results.json` (BigCodeBench: `NAME_pass_at_k.json` too).
    LiveCodeBench: `NAME_eval_all.json`. Samples that were not run are left out.
    """
    run = [score for score in scores if score.base_status is not SampleStatus.NOT_RUN]
    stem = samples.name.removesuffix(".gz").removesuffix(".jsonl")
    benchmark = summary.data.benchmark.partition(" ")[0]
    if benchmark in EVALPLUS:
        files = {"eval_results": _evalplus(summary, run)}
    elif benchmark == "livecodebench":
        files = {"eval_all": _livecodebench(run)}
    else:
        files = {"eval_results": _bigcodebench(run), "pass_at_k": _bigcodebench_rates(summary)}
    paths = {out / f"{stem}_{kind}.json": content for kind, content in files.items()}
    for path, content in paths.items():
        replace_text(path, json.dumps(content, indent=2) + "\n")
    return list(paths)


def _by_task(scores: Sequence[Score]) -> dict[str, list[Score]]:
    tasks: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        tasks[score.task_id].append(score)
    return tasks


def _now() -> str:
    return datetime.now().astimezone().strftime(WHEN)


def _evalplus(summary: SampleSummary, scores: Sequence[Score]) -> JsonValue:
    """The form of evalplus 0.3.1; its lists of failing inputs hold the first one, as it stops."""
    rates: dict[str, JsonValue] = {"base": {**summary.base}}
    if summary.plus is not None:
        rates["plus"] = {**summary.plus}
    return {
        "date": _now(),
        "hash": summary.data.md5,
        "eval": {
            task_id: [
                {
                    "task_id": task_id,
                    "solution": score.program,
                    "base_status": score.base_status.value,
                    "plus_status": score.plus_status and score.plus_status.value,
                    "base_fail_tests": _failing(score, of_base=True),
                    "plus_fail_tests": _failing(score, of_base=False),
                }
                for score in mine
            ]
            for task_id, mine in _by_task(scores).items()
        },
        "pass_at_k": rates,
    }


def _failing(score: Score, *, of_base: bool) -> list[JsonValue]:
    is_base = score.base_status is not SampleStatus.PASS
    failed = score.verdict != "passed" and is_base is of_base
    return [score.failing_call] if failed and score.failing_call else []


def _bigcodebench(scores: Sequence[Score]) -> JsonValue:
    """The form of bigcodebench 0.2.5."""
    return {
        "date": _now(),
        "eval": {
            task_id: [
                {
                    "task_id": task_id,
                    "solution": score.program,
                    "status": score.base_status.value,
                    "details": {score.error_type or score.verdict: score.message}
                    if score.base_status is not SampleStatus.PASS
                    else {},
                }
                for score in mine
            ]
            for task_id, mine in _by_task(scores).items()
        },
    }


def _bigcodebench_rates(summary: SampleSummary) -> JsonValue:
    _, subset, split = summary.data.benchmark.split(" ")
    return {**summary.base, "split": split, "subset": subset, "calibrated": True}


def _livecodebench(scores: Sequence[Score]) -> JsonValue:
    """The form of LiveCodeBench's custom evaluator: one object a problem, ordered by its id."""
    rows: list[JsonValue] = []
    for task_id, mine in sorted(_by_task(scores).items()):
        graded = [score.base_status is SampleStatus.PASS for score in mine]
        rows.append(
            {
                "question_id": task_id,
                "output_list": [score.completion or score.program for score in mine],
                "code_list": [score.program for score in mine],
                "graded_list": [*graded],
                "pass@1": sum(graded) / len(graded),
                "metadata": [
                    {
                        "error": score.error_type or score.verdict,
                        "inputs": score.failing_call,
                        "expected": score.expected,
                        "output": score.actual,
                    }
                    if score.base_status is not SampleStatus.PASS
                    else {}
                    for score in mine
                ],
            }
        )
    return rows
