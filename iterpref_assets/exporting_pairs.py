"""What result tables tell of the pairs that the experiment's models are trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey
from iterpref_assets.core.experiment.arms import PairSet
from iterpref_assets.core.experiment.kinds import KINDS, token_kinds
from iterpref_assets.steps.experiment import EXPERIMENT_PAIRS
from iterpref_assets.steps.experiment_second import EXPERIMENT_SECOND_PAIRS
from iterpref_assets.steps.pairs import PAIRS_FILE, TOKENS_FILE
from iterpref_assets.steps.step import Step, StepContext

NOT_OF_LINES = frozenset({PairSet.TOKENS, PairSet.FORKS, PairSet.NODES})
"""Sets whose D- is no lines: those in their tables are of the line LCS, which is not trained on."""


def standing(
    context: StepContext, step: Step, partitions: Iterable[str]
) -> Iterator[tuple[str, Artifact]]:
    """Those of `partitions` whose artifact is what the settings ask for; none where they do not."""
    if not step.exists(context.settings):
        return
    for name in partitions:
        if context.store.find(ArtifactKey(step.asset, name)) is None:
            continue
        artifact = context.store.reusable(step.plan(context, name))
        if artifact is not None:
            yield name, artifact


def first_pairs(context: StepContext) -> dict[str, Artifact]:
    """The pairs of first rounds that are current, by what tables call them."""
    return dict(standing(context, EXPERIMENT_PAIRS, (each.value for each in PairSet)))


def second_pairs(context: StepContext, arms: Iterable[str]) -> dict[str, Artifact]:
    """Those of the second rounds `arms`, whose first rounds are current."""
    return dict(standing(context, EXPERIMENT_SECOND_PAIRS, arms))


def focal_shares(sets: Mapping[str, Artifact]) -> dict[str, float]:
    """The share of the tokens of y- that are of D-, by pair set."""
    shares: dict[str, float] = {}
    for name, pairs in sets.items():
        masks = tables.read_table(pairs.path(TOKENS_FILE), tables.TOKENIZED_PAIRS)["rejected_mask"]
        shares[name] = float(masks.list.sum().sum()) / float(masks.list.len().sum())
    return shares


def kinds(sets: Mapping[str, Artifact]) -> pl.DataFrame:
    """The kinds of tokens of the pairs that are kept, by pair set; of sets whose D- is lines."""
    frames = [pl.DataFrame(schema=KINDS)]
    for name, pairs in sets.items():
        if name in NOT_OF_LINES:
            continue
        kept = tables.read_table(pairs.path(PAIRS_FILE), tables.PAIRS).filter(
            pl.col("dropped_by").is_null()
        )
        frames.append(token_kinds(name, kept.select("rejected", "rejected_diff_lines").iter_rows()))
    return pl.concat(frames)
