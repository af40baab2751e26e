"""Scores as the hub's model-index takes them, from what `iterpref evaluate` writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import EvalResult
from pydantic import ValidationError

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.evaluation.sample_scoring import SUMMARY
from iterpref_assets.core.evaluation.sample_summary import SampleSummary
from iterpref_assets.core.evaluation.suite import DataSource
from iterpref_assets.core.files import read_bytes

TASK = "text-generation"
_ON_THE_HUB = {
    ("humaneval", False): ("openai/openai_humaneval", "HumanEval"),
    ("humaneval", True): ("evalplus/humanevalplus", "HumanEval+"),
    ("mbpp", False): ("evalplus/mbppplus", "MBPP, base tests of MBPP+"),
    ("mbpp", True): ("evalplus/mbppplus", "MBPP+"),
    ("bigcodebench", False): ("bigcode/bigcodebench", "BigCodeBench"),
    ("livecodebench", False): ("livecodebench/code_generation_lite", "LiveCodeBench"),
}
"""The data set's name on the hub and in words, by benchmark and whether plus tests count."""


@dataclass(frozen=True, slots=True)
class BenchmarkScore:
    """One model's figures on one set of tests; rates are shares of 1.

    Attributes:
        data: what it was scored on.
        plus: whether a program had to pass the plus tests too.
        rates: by metric, such as "pass@1".
        interval: of pass@1, where there is one.
        tasks: how many were scored.
        rules: by which rules programs were judged, "" where there is one set.
    """

    data: DataSource
    plus: bool
    rates: Mapping[str, float]
    interval: Interval | None
    tasks: int
    rules: str = ""

    @property
    def dataset(self) -> tuple[str, str]:
        """The data set's name on the hub and in words; a file of one's own is its own name."""
        name, _, rest = self.data.benchmark.partition(" ")
        kind, words = _ON_THE_HUB.get((name, self.plus), (name, name))
        told = " ".join(filter(None, [words, rest, f"({self.rules} rules)" if self.rules else ""]))
        return kind, told


def read_evaluation(folder: Path) -> list[BenchmarkScore]:
    """The scores in a folder that `iterpref evaluate` wrote.

    Raises:
        InputError: where it holds no summary, or another one.
    """
    file, remedy = folder / SUMMARY, "Give the folder that iterpref evaluate --out wrote"
    try:
        summary = SampleSummary.model_validate_json(read_bytes(file, remedy))
    except ValidationError as error:
        raise InputError.of_record(error, file=file, remedy=remedy) from None
    rates = [(False, summary.base, summary.base_interval)]
    if summary.plus is not None:
        rates.append((True, summary.plus, summary.plus_interval))
    return [
        BenchmarkScore(summary.data, plus, found, interval, summary.tasks, summary.rules)
        for plus, found, interval in rates
        if found
    ]


def eval_results(scores: Sequence[BenchmarkScore]) -> Iterator[EvalResult]:
    """The scores for a model-index, one entry a metric."""
    for score in scores:
        kind, name = score.dataset
        for metric, rate in score.rates.items():
            yield EvalResult(
                task_type=TASK,
                dataset_type=kind,
                dataset_name=name,
                metric_type=metric,
                metric_name=metric,
                metric_value=round(rate, 6),
                dataset_args={"tasks": score.tasks, "sha256": score.data.sha256},
            )
