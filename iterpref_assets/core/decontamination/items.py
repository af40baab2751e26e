"""What benchmarks ask, each item reduced to what training problems are compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from iterpref_assets.core.decontamination.programs import (
    called_function,
    first_function,
    normalised_digest,
    parameters_of,
)
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes
from iterpref_assets.core.json_lines import parse_json
from iterpref_assets.core.seeds.mbpp import MbppTask, read_mbpp

MBPP_TEST = range(11, 511)
"""The task ids of MBPP's test split."""

NAMELESS = frozenset({"task_func"})
"""Entry points that say nothing: BigCodeBench calls every function so."""


class Benchmark(StrEnum):
    """The benchmarks that training problems are to be kept clear of, as items name them."""

    HUMANEVAL = "HumanEval"
    MBPP = "MBPP"
    MBPP_PLUS = "MBPP+"
    BIGCODEBENCH = "BigCodeBench"
    LIVECODEBENCH = "LiveCodeBench"


@dataclass(frozen=True, slots=True)
class BenchmarkItem:
    """One item.

    Attributes:
        benchmark: its benchmark's name.
        item: its id there.
        prompts: every way in which it is asked.
        entry_point, parameters: the function it asks for, empty and None where it has no name.
        program: `normalised_digest` of its reference solution, where there is one.
    """

    benchmark: str
    item: str
    prompts: tuple[str, ...]
    entry_point: str = ""
    parameters: tuple[str, ...] | None = None
    program: str | None = None


def item_of(
    benchmark: str,
    item: str,
    prompts: tuple[str, ...],
    *,
    entry_point: str = "",
    code: str = "",
    reference: str = "",
) -> BenchmarkItem:
    """An item from its texts; `code` is where its function's parameters can be read."""
    named = entry_point and entry_point not in NAMELESS
    return BenchmarkItem(
        benchmark,
        item,
        prompts,
        entry_point if named else "",
        parameters_of(code, entry_point) if named else None,
        normalised_digest(reference) if reference else None,
    )


def count_by_benchmark(items: Iterable[BenchmarkItem]) -> dict[str, int]:
    """How many items there are of each benchmark that there are any of."""
    return dict(sorted(Counter(item.benchmark for item in items).items()))


def read_items(path: Path) -> list[BenchmarkItem]:
    """The items of a published benchmark file, recognised by its fields.

    HumanEval, HumanEval+, MBPP (either layout; its test split), MBPP+, BigCodeBench and
    LiveCodeBench, as JSON or JSON lines, gzipped or not.

    Raises:
        InputError: where the file is missing, or is none of these.
    """
    content = read_bytes(path, "Give a benchmark as published")
    if content.lstrip().startswith(b"["):
        return _mbpp(path)
    items: list[BenchmarkItem] = []
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
            if "test_list" in row:
                return _mbpp(path)
            items.append(_item(row))
        except (KeyError, TypeError, ValueError):
            raise InputError(
                "not an item of a benchmark known here",
                file=path,
                line=number,
                remedy="Give HumanEval(+), MBPP(+), BigCodeBench or LiveCodeBench as published",
            ) from None
    if not items:
        raise InputError("no items", file=path, remedy="Give a benchmark as published")
    return items


def _item(row: dict[str, Any]) -> BenchmarkItem:
    if "question_content" in row:
        code = row.get("starter_code") or ""
        return livecodebench_item(str(row["question_id"]), row["question_content"], code)
    if "complete_prompt" in row:
        prompts = (row["complete_prompt"], row["instruct_prompt"])
        return bigcodebench_item(row["task_id"], prompts, row["canonical_solution"])
    return evalplus_item(
        row["task_id"], row["prompt"], row["entry_point"], row["canonical_solution"]
    )


def evalplus_item(task_id: str, prompt: str, entry_point: str, solution: str) -> BenchmarkItem:
    """An item of HumanEval, HumanEval+ or MBPP+: its solution continues its prompt."""
    is_humaneval = task_id.startswith("HumanEval/")
    benchmark = (Benchmark.HUMANEVAL if is_humaneval else Benchmark.MBPP_PLUS).value
    program = f"{prompt}{solution}"
    return item_of(
        benchmark, task_id, (prompt,), entry_point=entry_point, code=program, reference=program
    )


def bigcodebench_item(task_id: str, prompts: tuple[str, str], solution: str) -> BenchmarkItem:
    """An item of BigCodeBench: its solution continues its first prompt."""
    return item_of(
        Benchmark.BIGCODEBENCH.value, task_id, prompts, reference=f"{prompts[0]}\n{solution}"
    )


def livecodebench_item(question_id: str, question: str, starter_code: str) -> BenchmarkItem:
    """An item of LiveCodeBench, which has no solutions."""
    item = f"LiveCodeBench/{question_id}"
    code = f"{starter_code.rstrip()} pass" if starter_code.strip() else ""
    return item_of(
        Benchmark.LIVECODEBENCH.value,
        item,
        (question,),
        entry_point=first_function(code),
        code=code,
    )


def _mbpp(path: Path) -> list[BenchmarkItem]:
    return [_mbpp_item(task) for task in read_mbpp(path) if task.task_id in MBPP_TEST]


def _mbpp_item(task: MbppTask) -> BenchmarkItem:
    entry_point = called_function(task.code, task.test_list)
    return item_of(
        Benchmark.MBPP.value,
        f"MBPP/{task.task_id}",
        (task.text,),
        entry_point=entry_point,
        code=task.code,
        reference=task.code,
    )
