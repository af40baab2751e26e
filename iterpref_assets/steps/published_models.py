"""A checkpoint of the store for the hub: its folder, and its scores that still stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.evaluation.benchmark_summary import BenchmarkSummary
from iterpref_assets.core.evaluation.suite import DataSource
from iterpref_assets.core.evaluation.summary import PassRate, summarize
from iterpref_assets.core.publishing.scores import BenchmarkScore
from iterpref_assets.settings import Settings
from iterpref_assets.steps.benchmarks import SUMMARY_FILE, score_assets_of
from iterpref_assets.steps.evaluations import GREEDY_FILE
from iterpref_assets.steps.scored import is_current

HELDOUT = "held-out problems"


def checkpoint_folder(store: ArtifactStore, partition: str) -> Path:
    """The newest checkpoint of a partition (base model/recipe).

    Raises:
        InputError: where there is none.
    """
    return store.current(ArtifactKey("checkpoints", partition)).folder


def checkpoint_scores(
    settings: Settings, store: ArtifactStore, partition: str
) -> list[BenchmarkScore]:
    """Its scores, but for those of an older checkpoint or older tasks."""
    found: list[BenchmarkScore] = []
    heldout = ArtifactKey("heldout_scores", partition)
    if is_current(store, heldout):
        artifact = store.current(heldout)
        scores = tables.read_scores(artifact.path(GREEDY_FILE))
        problems = artifact.manifest.upstream[str(ArtifactKey("heldout_problems"))]
        data = DataSource(benchmark=HELDOUT, sha256=problems, md5="")
        found += _rates(data, summarize(scores, settings.evaluation), None)
    for asked in score_assets_of(settings):
        key = ArtifactKey(asked.asset, partition)
        if is_current(store, key):
            text = store.current(key).path(SUMMARY_FILE).read_bytes()
            summary = BenchmarkSummary.model_validate_json(text)
            found += _rates(summary.data, summary.overall, summary.overall.plus, summary.rules)
    return found


def _rates(
    data: DataSource, base: PassRate, plus: PassRate | None, rules: str = ""
) -> Iterator[BenchmarkScore]:
    for is_plus, rate in ((False, base), (True, plus)):
        if rate is not None:
            yield BenchmarkScore(data, is_plus, rate.by_name, rate.interval, rate.n, rules)
