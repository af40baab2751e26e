"""What a set of pairs is like: lengths, differences, failures, features, duplicates.

Everything is read column by column from Parquet, so memory grows with ids and counts, not with
programs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from iterpref_assets.core.pairs.sampled import REJECTED_SAMPLE
from iterpref_assets.core.randomness import derive_seed
from iterpref_assets.core.sandbox.verdicts import NOT_FAILING

KEPT = pl.col("dropped_by").is_null()


@dataclass(frozen=True, eq=False)
class Spread:
    """How one quantity is spread over pairs: its whole numbers in ascending order."""

    name: str
    values: pl.Series

    def quantile(self, share: float) -> int:
        """The smallest value that at least `share` of the pairs do not exceed."""
        return int(self.values[max(math.ceil(share * self.values.len()) - 1, 0)])

    @property
    def mean(self) -> float:
        """The mean."""
        return int(self.values.sum()) / self.values.len()


@dataclass(frozen=True)
class Diversity:
    """How varied the features of some problems are.

    Attributes:
        problems: how many problems there are.
        features: how many problems have each feature, most frequent first.
        combinations: how many different sets of features there are.
    """

    problems: int
    features: dict[str, int]
    combinations: int

    @property
    def effective_features(self) -> float:
        """The number of equally frequent features of the same entropy; 0 where there is none."""
        total = sum(self.features.values())
        shares = [count / total for count in self.features.values()]
        return math.exp(-sum(share * math.log(share) for share in shares)) if shares else 0.0


@dataclass(frozen=True)
class Duplicates:
    """Kept pairs that repeat an earlier kept one: its prompt, its y+, or both of its programs."""

    prompts: int
    chosen: int
    pairs: int


def token_lengths(tokens: Path) -> list[Spread]:
    """Tokens of prompt, y+ and y-, and of y- in focus, over tables.TOKENIZED_PAIRS."""
    columns = {
        "prompt": pl.col("prompt_ids").list.len(),
        "y+": pl.col("chosen_ids").list.len(),
        "y-": pl.col("rejected_ids").list.len(),
        "y- in focus": pl.col("rejected_mask").list.sum(),
    }
    return _spreads(pl.scan_parquet(tokens), columns)


def difference_sizes(pairs: Path) -> list[Spread]:
    """Lines of D+ and D- of the kept pairs of tables.PAIRS."""
    columns = {
        "D+": pl.col("chosen_diff_lines").list.len(),
        "D-": pl.col("rejected_diff_lines").list.len(),
    }
    return _spreads(pl.scan_parquet(pairs).filter(KEPT), columns)


def failures(pairs: Path, versions: pl.DataFrame) -> pl.DataFrame:
    """How y- fails in kept pairs, beside how all failing versions do.

    Args:
        pairs: Parquet with the columns of tables.PAIRS.
        versions: tables.VERSIONS without programs and feedback.

    Returns:
        `failure` (the exception's class, or the verdict), `rejected` and `versions` (counts), most
        frequent first.
    """
    not_failing = [verdict.value for verdict in NOT_FAILING]
    failing = versions.filter(~pl.col("verdict").is_in(not_failing)).with_columns(
        failure=pl.when(pl.col("error_type").fill_null("") != "")
        .then("error_type")
        .otherwise("verdict")
    )
    rejected = (
        pl.scan_parquet(pairs)
        .filter(KEPT)
        .select("problem_id", "trajectory_id", "rejected_round", "pair_id")
        .collect()
        .join(versions.select("trajectory_id", "sample").unique(), on="trajectory_id", how="left")
        # A pair of independent samples names the sample that was rejected.
        .with_columns(
            sample=pl.coalesce(
                pl.col("pair_id").str.extract(REJECTED_SAMPLE).cast(pl.Int32()), "sample"
            )
        )
        .join(
            failing,
            left_on=["problem_id", "sample", "rejected_round"],
            right_on=["problem_id", "sample", "round"],
            how="inner",
        )
    )
    return (
        failing.group_by("failure")
        .agg(versions=pl.len())
        .join(rejected.group_by("failure").agg(rejected=pl.len()), on="failure", how="left")
        .select("failure", pl.col("rejected").fill_null(0), "versions")
        .sort(["rejected", "versions", "failure"], descending=[True, True, False])
    )


def feature_diversity(problems: Sequence[Path], among: Iterable[str] | None = None) -> Diversity:
    """The features of tables.PROBLEMS, of those with an id in `among` where it is given."""
    table = pl.scan_parquet(list(problems)).select("problem_id", "features").collect()
    if among is not None:
        ids = pl.Series(list(among), dtype=pl.String())
        table = table.filter(pl.col("problem_id").is_in(ids.implode()))
    features: list[list[str]] = table["features"].to_list()
    counts = Counter(name for row in features for name in set(row))
    return Diversity(
        problems=table.height,
        features=dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        combinations=len({frozenset(row) for row in features}),
    )


def duplicates(pairs: Path) -> Duplicates:
    """Repetitions among the kept pairs of tables.PAIRS; texts count as equal by their hash."""
    hashed = (
        pl.scan_parquet(pairs)
        .filter(KEPT)
        .select(pl.col("prompt", "chosen", "rejected").hash())
        .collect()
    )
    return Duplicates(
        prompts=hashed.height - hashed["prompt"].n_unique(),
        chosen=hashed.height - hashed["chosen"].n_unique(),
        pairs=hashed.height - hashed.select("chosen", "rejected").n_unique(),
    )


def drawn_pairs(pairs: Path, count: int, wanted: pl.Expr = KEPT) -> pl.DataFrame:
    """`count` of the wanted pairs of tables.PAIRS, drawn by their ids, in the order drawn."""
    table = pl.scan_parquet(pairs).filter(wanted)
    ids = table.select("pair_id").collect()["pair_id"].to_list()
    drawn = sorted(ids, key=lambda name: derive_seed("shown pair", name))[:count]
    rows = table.filter(pl.col("pair_id").is_in(drawn)).collect()
    order = {name: place for place, name in enumerate(drawn)}
    return rows.sort(pl.col("pair_id").replace_strict(order, return_dtype=pl.Int64()))


def _spreads(table: pl.LazyFrame, columns: dict[str, pl.Expr]) -> list[Spread]:
    values = table.select(expr.alias(name) for name, expr in columns.items()).collect()
    return [Spread(name, values[name].cast(pl.Int64()).sort()) for name in columns]
