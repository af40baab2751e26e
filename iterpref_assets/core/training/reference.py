"""Per-token log-probabilities of the reference model, computed once and kept in parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import replacing
from iterpref_assets.core.progress import track
from iterpref_assets.core.training.checks import with_room
from iterpref_assets.core.training.config import Precision, Sharding, TrainConfig
from iterpref_assets.core.training.dataset import token_pairs
from iterpref_assets.core.training.failures import Remedies, explain
from iterpref_assets.core.training.packing import TokenPair, lay_out, pack
from iterpref_assets.core.training.processes import rank, wait_for_all, world_size
from iterpref_assets.core.training.recipes import Reading, Tokens

EVERYTHING = Reading(Tokens.ALL, Tokens.ALL)


PAIRS_PER_PART = 64
"""Pairs computed and stored at once: what a restart may have to repeat, and what passes until a
line tells of progress. A model of half a billion parameters takes minutes for them on two cores."""
_REMEDIES = Remedies(
    disk="Free space and run again: finished parts are kept",
    memory="Lower reference_batch_tokens, or set precision to bfloat16, and run again",
)


def compute_reference_logprobs(
    tokenized: pl.DataFrame,
    model_dir: Path,
    config: TrainConfig,
    work_dir: Path,
    *,
    pairs_per_part: int = PAIRS_PER_PART,
) -> pl.DataFrame:
    """tables.REFERENCE_LOGPROBS of `tokenized` under the model of `model_dir`.

    Args:
        tokenized: tables.TOKENIZED_PAIRS, in the tokens of `model_dir`.
        model_dir: the reference model.
        config: its precision is that of the arithmetic, so that reference and policy round alike.
        work_dir: finished parts are kept here, and a restart computes only what is missing. One
            folder belongs to one model and one table.
        pairs_per_part: pairs computed and stored at once.

    Several processes (torchrun) divide the parts among them and each return the whole table;
    `work_dir` then has to be one folder that all of them see.

    Raises:
        InputError: before the model loads, where the table is malformed or empty, or too many
            prompts leave no room for a completion that could be trained on. All pairs are scored,
            also those without room.
        TrainingError: disk full, out of memory; finished parts are kept.
    """
    tables.validate(tokenized, tables.TOKENIZED_PAIRS)
    if tokenized.is_empty():
        raise InputError(
            "there are no pairs", remedy="Build the pairs first; every one may have been dropped"
        )
    with_room(tokenized, config.max_length)  # scoring takes hours: refused before them
    pairs = token_pairs(tokenized, None)
    work_dir.mkdir(parents=True, exist_ok=True)
    parts = [
        # Its size is in a part's name: another release may make larger ones.
        (
            work_dir / f"part-{start:08d}-{pairs_per_part}.parquet",
            slice(start, start + pairs_per_part),
        )
        for start in range(0, len(pairs), pairs_per_part)
    ]
    wait_for_all()
    own = parts[rank() :: world_size()]
    if missing := [(file, rows) for file, rows in own if not file.is_file()]:
        try:
            _score_parts(missing, tokenized["pair_id"], pairs, model_dir, config)
        except Exception as error:
            failure = explain(error, remedies=_REMEDIES)
            if failure is None:
                raise
            raise failure from error
    wait_for_all()
    return pl.concat([tables.read_table(file, tables.REFERENCE_LOGPROBS) for file, _ in parts])


def _score_parts(
    parts: list[tuple[Path, slice]],
    pair_ids: pl.Series,
    pairs: list[TokenPair],
    model_dir: Path,
    config: TrainConfig,
) -> None:
    scorer = _Scorer(model_dir, config)
    with track(
        "reference log-probabilities", sum(len(pairs[rows]) for _, rows in parts)
    ) as tracker:
        for file, rows in parts:
            frame = _part(pair_ids[rows], scorer.score(pairs[rows]))
            with replacing(file) as partial:
                tables.write_table(frame, tables.REFERENCE_LOGPROBS, partial)
            tracker.advance(len(frame))


def _part(pair_ids: pl.Series, logprobs: list[tuple[np.ndarray, np.ndarray]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "pair_id": pair_ids,
            "chosen_logprobs": [chosen.tolist() for chosen, _ in logprobs],
            "rejected_logprobs": [rejected.tolist() for _, rejected in logprobs],
        },
        schema=tables.REFERENCE_LOGPROBS,
    )


class _Scorer:
    """The reference model, ready to score pairs."""

    def __init__(self, model_dir: Path, config: TrainConfig) -> None:
        import torch

        from iterpref_assets.core.training.batches import collator
        from iterpref_assets.core.training.policy import attention_for, load_policy

        self.mixed = config.precision is Precision.MIXED_BFLOAT16
        # Sharded, the policy's weights are gathered in bfloat16; this model's round like them.
        gathered = self.mixed and config.sharding is Sharding.FSDP2
        precision = Precision.BFLOAT16 if gathered else config.precision
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        attention = attention_for(config.attention)
        self.collate, self.tokens = collator(attention), config.reference_batch_tokens
        model: Any = load_policy(model_dir, config, precision, attention)
        self.model = model.eval().to(self.device)

    def score(self, pairs: list[TokenPair]) -> list[tuple[np.ndarray, np.ndarray]]:
        """The log-probabilities of every token of y+ and of y-, pair by pair."""
        import torch

        from iterpref_assets.core.training.policy import MODEL_INPUTS

        results: list[tuple[np.ndarray, np.ndarray] | None] = [None] * len(pairs)
        arithmetic = torch.autocast(self.device.type, torch.bfloat16, enabled=self.mixed)
        with torch.inference_mode(), arithmetic:
            for places in self._batches(pairs):
                rows = [pack(pairs[place], EVERYTHING) for place in places]
                batch = self.collate(rows)
                logprobs = self.model(**{n: batch[n].to(self.device) for n in MODEL_INPUTS})
                ends = np.cumsum([len(row.at) for row in rows])[:-1]
                for place, row, values in zip(
                    places, rows, np.split(logprobs.float().cpu().numpy(), ends), strict=True
                ):
                    results[place] = values[row.chosen > 0], values[row.rejected > 0]
        return [result for result in results if result is not None]

    def _batches(self, pairs: list[TokenPair]) -> Iterator[list[int]]:
        """Places of pairs of like length, as many as fit the token budget, at least one."""
        lengths = [lay_out(pair, EVERYTHING).inputs for pair in pairs]
        batch: list[int] = []
        for place in sorted(range(len(pairs)), key=lengths.__getitem__):
            if batch and (len(batch) + 1) * lengths[place] > self.tokens:
                yield batch
                batch = []
            batch.append(place)
        if batch:
            yield batch
