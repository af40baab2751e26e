"""The pairs as a dataset of packed rows, and the order in which batches take them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.randomness import derive_seed
from iterpref_assets.core.training.packing import (
    CompletionTokens,
    PackedRow,
    TokenPair,
    lay_out,
    pack,
    token_weights,
)
from iterpref_assets.core.training.recipes import Recipe, Side
from iterpref_assets.core.training.truncation import Truncation

NO_PAIR = -1
"""Stands for a pair where there is none."""


def token_pairs(tokenized: pl.DataFrame, reference: pl.DataFrame | None) -> list[TokenPair]:
    """The rows of tables.TOKENIZED_PAIRS with their tables.REFERENCE_LOGPROBS.

    Raises:
        InputError: where an id names two pairs, or a pair has an empty prompt, a mask of another
            length than its ids, or no reference log-probabilities of the same length.
    """
    repeated = tokenized["pair_id"].filter(tokenized["pair_id"].is_duplicated())
    if not repeated.is_empty():
        raise InputError(
            f"{repeated[0]!r} names two pairs",
            field="pair_id",
            remedy="Make the pairs again, each problem and each file with a name of its own",
        )
    if reference is not None:
        tokenized = tokenized.join(reference, on="pair_id", how="left", maintain_order="left")
    return [_token_pair(row, with_reference=reference is not None) for row in _rows(tokenized)]


def _rows(frame: pl.DataFrame) -> Iterator[dict[str, object]]:
    """Rows with every list as a numpy array, or None."""
    names = frame.columns
    for values in zip(*(frame[name] for name in names), strict=True):
        yield {
            name: value.to_numpy() if isinstance(value, pl.Series) else value
            for name, value in zip(names, values, strict=True)
        }


def _token_pair(row: dict[str, object], *, with_reference: bool) -> TokenPair:
    prompt = np.asarray(row["prompt_ids"], dtype=np.int32)
    if prompt.size == 0:
        raise InputError(
            f"pair {row['pair_id']} has an empty prompt",
            field="prompt_ids",
            remedy="A first token needs one before it: build the prompt with the chat template",
        )
    chosen = _completion(row, "chosen", with_reference=with_reference)
    return TokenPair(prompt, chosen, _completion(row, "rejected", with_reference=with_reference))


def _completion(row: dict[str, object], side: str, *, with_reference: bool) -> CompletionTokens:
    ids = np.asarray(row[f"{side}_ids"], dtype=np.int32)
    difference = np.asarray(row[f"{side}_mask"], dtype=np.bool_)
    if len(difference) != len(ids):
        raise InputError(
            f"pair {row['pair_id']} has {len(ids)} ids but {len(difference)} marks",
            field=f"{side}_mask",
            remedy="Rebuild the tokenized pairs",
        )
    reference = np.zeros(len(ids), dtype=np.float32)
    if with_reference:
        given = row[f"{side}_logprobs"]
        found = 0 if given is None else len(np.asarray(given))
        if found != len(ids):
            raise InputError(
                f"pair {row['pair_id']} has {len(ids)} ids but {found} log-probabilities",
                field=f"{side}_logprobs",
                remedy="Compute the reference log-probabilities of these very pairs",
            )
        reference = np.asarray(given, dtype=np.float32)
    return CompletionTokens(ids, difference, difference, difference, reference)


class PackedPairs:
    """A map-style dataset of packed rows, `len(pairs)` for each reading of the recipe in turn.

    At NO_PAIR it has None. `truncation` counts what `max_length` cuts off.
    """

    def __init__(self, pairs: list[TokenPair], recipe: Recipe, max_length: int) -> None:
        self.truncation = Truncation.of(pairs, recipe, max_length)
        self.pairs = [pair.cut(max_length) for pair in pairs]
        self.recipe, self.readings = recipe, recipe.readings

    def __len__(self) -> int:
        return len(self.pairs) * len(self.readings)

    def __getitem__(self, index: int) -> PackedRow | None:
        if index == NO_PAIR:
            return None
        reading, place = divmod(index, len(self.pairs))
        return pack(self.pairs[place], self.readings[reading])

    @property
    def imitated_tokens(self) -> int:
        """Tokens that the imitation term reads of all pairs, each in one reading."""
        sides = [self.readings[n % len(self.readings)].imitated for n in range(len(self.pairs))]
        return sum(
            len((pair.chosen if side is Side.CHOSEN else pair.rejected).ids)
            for pair, side in zip(self.pairs, sides, strict=True)
            if side is not None
        )

    @property
    def rejected_tokens(self) -> float:
        """How often the recipe counts tokens of y- of all pairs, each in one reading."""
        return sum(
            float(
                token_weights(pair.rejected, self.readings[n % len(self.readings)].rejected).sum()
            )
            for n, pair in enumerate(self.pairs)
        )

    def lengths(self) -> NDArray[np.int64]:
        """[len(self)] input tokens of every row."""
        return np.array(
            [lay_out(pair, reading).inputs for reading in self.readings for pair in self.pairs]
        )


class BatchOrder:
    """A sampler: each pair once an epoch, batch after batch, in a seeded order.

    Processes take as many rows of every batch as each other: the last one of an epoch is filled up
    with NO_PAIR to a `multiple` that all can share.

    Within a batch, rows come sorted by length, so that those of one forward pass are of like
    length and processes that take turns have like work. Where a recipe has several readings, the
    pairs of each batch take them in turn.
    """

    def __init__(
        self,
        lengths: NDArray[np.int64],
        *,
        readings: int,
        batch_size: int,
        seed: int,
        multiple: int = 1,
    ) -> None:
        self.lengths, self.readings = lengths, readings
        self.pairs, self.multiple = len(lengths) // readings, multiple
        self.batch_size, self.seed, self.epoch = batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Draw the order of `epoch` from now on."""
        self.epoch = epoch

    @property
    def batches(self) -> int:
        """Batches, and so optimizer steps, of one epoch."""
        return -(-len(self) // self.batch_size)

    def __len__(self) -> int:
        return -(-self.pairs // self.multiple) * self.multiple

    def __iter__(self) -> Iterator[int]:
        pairs = self.pairs
        order = np.random.default_rng(derive_seed("batch order", self.seed, self.epoch))
        shuffled = order.permutation(pairs)
        for start in range(0, pairs, self.batch_size):
            batch = shuffled[start : start + self.batch_size]
            rows = batch + pairs * (np.arange(len(batch)) % self.readings)
            yield from rows[np.argsort(self.lengths[rows], kind="stable")].tolist()
        yield from [NO_PAIR] * (len(self) - pairs)
