"""What result tables tell of the pairs that the experiment's models are trained on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore
from iterpref_assets.core.experiment.kinds import KINDS, token_kinds
from iterpref_assets.steps.experiment import EXPERIMENT_PAIRS
from iterpref_assets.steps.experiment_second import EXPERIMENT_SECOND_PAIRS
from iterpref_assets.steps.pairs import PAIRS_FILE, TOKENS_FILE


def pair_sets(store: ArtifactStore, arms: Collection[str]) -> Iterator[tuple[str, Artifact]]:
    """The pairs that there are, by what tables call them; of second rounds those among `arms`.

    Pairs of another second round may be those of a first round that is not current.
    """
    for name in store.partitions(EXPERIMENT_PAIRS.asset):
        yield name, store.current(ArtifactKey(EXPERIMENT_PAIRS.asset, name))
    for name in store.partitions(EXPERIMENT_SECOND_PAIRS.asset):
        if name in arms:
            yield name, store.current(ArtifactKey(EXPERIMENT_SECOND_PAIRS.asset, name))


def focal_shares(sets: Mapping[str, Artifact]) -> dict[str, float]:
    """The share of the tokens of y- that are of D-, by pair set."""
    shares: dict[str, float] = {}
    for name, pairs in sets.items():
        masks = tables.read_table(pairs.path(TOKENS_FILE), tables.TOKENIZED_PAIRS)["rejected_mask"]
        shares[name] = float(masks.list.sum().sum()) / float(masks.list.len().sum())
    return shares


def kinds(sets: Mapping[str, Artifact]) -> pl.DataFrame:
    """The kinds of tokens of the pairs that are kept, by pair set."""
    frames = [pl.DataFrame(schema=KINDS)]
    for name, pairs in sets.items():
        kept = tables.read_table(pairs.path(PAIRS_FILE), tables.PAIRS).filter(
            pl.col("dropped_by").is_null()
        )
        frames.append(token_kinds(name, kept.select("rejected", "rejected_diff_lines").iter_rows()))
    return pl.concat(frames)
