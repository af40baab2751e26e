"""From a samples file to scores, on any benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from iterpref_assets.core.evaluation.batch import score_samples
from iterpref_assets.core.evaluation.results import ResultSummary
from iterpref_assets.core.evaluation.samples import read_samples
from iterpref_assets.core.evaluation.suite import Suite


@dataclass(frozen=True, slots=True)
class Run:
    """What every run is given.

    Attributes:
        samples: the samples file.
        out: the folder for results and summary.
        cache: where expected outputs and what references came to are kept between runs.
        workers: programs run at once.
        skip_invalid: count invalid lines of the samples file instead of refusing it.
    """

    samples: Path
    out: Path
    cache: Path
    workers: int
    skip_invalid: bool


def score_file(suite: Suite, run: Run) -> ResultSummary:
    """Score the samples; the file is read and checked before a sandbox starts.

    Raises:
        InputError: where the file is malformed, or a reference solution fails without an excuse.
    """
    facts = suite.facts
    file = read_samples(
        run.samples, facts.prompts, facts.entry_points, skip_invalid=run.skip_invalid
    )
    with suite.open_sandbox(run.workers) as sandbox:
        benchmark = suite.ready(sandbox, run.cache, run.workers)
        return score_samples(benchmark, file, sandbox, run.out, run.workers)
