"""Kept pairs -> token ids and focal masks for one tokenizer.

A training sequence is prompt_ids + chosen_ids (or rejected_ids). The two parts are tokenized
apart, so the prompt's ids are the same for both sides and no token straddles the border, which
is also how an engine continues a prompt. Around the program stands what the chat template writes
around an answer (`answer_frame`).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from iterpref_assets.core import tables
from iterpref_assets.core.answer_frame import AnswerFrame, answer_frame, rendered_prompts
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.config import Difference, Filter, PairConfig
from iterpref_assets.core.pairs.focus import EncodedSide, focal_masks
from iterpref_assets.core.pairs.masks import TokenSpans
from iterpref_assets.core.prompts import fenced, problem_conversation

if TYPE_CHECKING:
    from transformers import BatchEncoding, PreTrainedTokenizerFast

BATCH_ROWS = 1024
"""Pairs tokenized at once: enough to keep every core busy, little enough to stay small."""

_FENCE_LINES = 1
"""Lines of the fence above the code: code line n is line n + 1 of the completion."""


@dataclass(frozen=True)
class TokenizedPairs:
    """What tokenization gives.

    Attributes:
        table: columns of tables.TOKENIZED_PAIRS, the pairs still kept.
        pairs: columns of tables.PAIRS, every pair that came in, with filter (iii) applied.
    """

    table: pl.DataFrame
    pairs: pl.DataFrame


def tokenize_pairs(
    pairs: pl.DataFrame, tokenizer: PreTrainedTokenizerFast, config: PairConfig
) -> TokenizedPairs:
    """Ids and masks of the kept `pairs`; those longer than `config.max_tokens` are dropped.

    Args:
        pairs: columns of tables.PAIRS.
        tokenizer: a fast tokenizer with an end-of-turn token (`eos_token`).
        config: `max_tokens` and `difference` are read.

    Raises:
        InputError: where the tokenizer gives no character offsets or has no end token.
    """
    require_usable(tokenizer)
    frame = answer_frame(tokenizer)
    kept = pairs.filter(pl.col("dropped_by").is_null())
    parts = [
        _tokenize_batch(part, tokenizer, frame, config.difference)
        for part in kept.iter_slices(BATCH_ROWS)
    ]
    table = pl.concat([pl.DataFrame(schema=tables.TOKENIZED_PAIRS), *parts])
    short = (pl.col("chosen_ids").list.len() <= config.max_tokens) & (
        pl.col("rejected_ids").list.len() <= config.max_tokens
    )
    long_ids = table.filter(~short)["pair_id"]
    return TokenizedPairs(
        table=table.filter(short),
        pairs=pairs.with_columns(
            dropped_by=pl.when(pl.col("pair_id").is_in(long_ids.implode()))
            .then(pl.lit(Filter.TOO_MANY_TOKENS.value))
            .otherwise(pl.col("dropped_by"))
        ),
    )


def require_usable(tokenizer: PreTrainedTokenizerFast) -> None:
    """Refuse a tokenizer without a token that ends a turn, or without character offsets.

    Raises:
        InputError: naming what it lacks.
    """
    if not tokenizer.is_fast:
        raise InputError(
            "the tokenizer gives no character offsets",
            file=tokenizer.name_or_path,
            remedy="Use a fast tokenizer (a folder with tokenizer.json)",
        )
    if not isinstance(tokenizer.eos_token_id, int):
        raise InputError(
            "the tokenizer has no end-of-turn token",
            file=tokenizer.name_or_path,
            field="eos_token",
            remedy="Name one in tokenizer_config.json",
        )


def encode_prompts(
    prompts: Sequence[str], tokenizer: PreTrainedTokenizerFast, frame: AnswerFrame
) -> list[list[int]]:
    """The ids of each problem as an engine shows it to the model before it answers.

    The chat template's rendering with the generation prompt, or the bare prompt with the special
    tokens that begin a text where the tokenizer has no template (a base model).
    """
    if tokenizer.chat_template is None:
        return _encode(prompts, tokenizer, add_special_tokens=True).input_ids
    turns = [problem_conversation(prompt) for prompt in prompts]
    return _encode(rendered_prompts(turns, tokenizer, frame), tokenizer).input_ids


def _tokenize_batch(
    pairs: pl.DataFrame,
    tokenizer: PreTrainedTokenizerFast,
    frame: AnswerFrame,
    difference: Difference,
) -> pl.DataFrame:
    sides = [
        _encoded(pairs[side].to_list(), pairs[f"{side}_diff_lines"].to_list(), tokenizer, frame)
        for side in ("chosen", "rejected")
    ]
    masks = focal_masks(sides[0], sides[1], difference)
    (before,) = _encode([frame.before], tokenizer).input_ids
    (chosen_ids, chosen_mask), (rejected_ids, rejected_mask) = (
        _framed(side, mask, before, frame.end) for side, mask in zip(sides, masks, strict=True)
    )
    columns = {
        "pair_id": pairs["pair_id"],
        "prompt_ids": encode_prompts(pairs["prompt"].to_list(), tokenizer, frame),
        "chosen_ids": chosen_ids,
        "rejected_ids": rejected_ids,
        "chosen_mask": chosen_mask,
        "rejected_mask": rejected_mask,
    }
    return pl.DataFrame(columns, schema=tables.TOKENIZED_PAIRS)


def _encoded(
    codes: list[str],
    diff_lines: list[list[int]],
    tokenizer: PreTrainedTokenizerFast,
    frame: AnswerFrame,
) -> EncodedSide:
    """The tokens of each fenced program, and of what stands between it and its end."""
    texts = [fenced(code) + frame.behind for code in codes]
    ids, spans = encode_completions(texts, tokenizer)
    lines = [[line + _FENCE_LINES for line in row] for row in diff_lines]
    return EncodedSide(codes, texts, lines, ids, spans)


def _framed(
    side: EncodedSide, mask: NDArray[np.bool_], before: list[int], end: int
) -> tuple[list[NDArray[np.int32]], list[NDArray[np.bool_]]]:
    """Ids and masks of each program; what frames it is added and never focal."""
    borders = side.spans.bounds[1:-1]
    start, stop = np.array(before, dtype=np.int32), np.array([end], dtype=np.int32)
    first, last = np.zeros(start.size, dtype=np.bool_), np.zeros(1, dtype=np.bool_)
    ids = [np.concatenate([start, row, stop]) for row in np.split(side.ids, borders)]
    return ids, [np.concatenate([first, row, last]) for row in np.split(mask, borders)]


def encode_completions(
    texts: Sequence[str], tokenizer: PreTrainedTokenizerFast
) -> tuple[NDArray[np.int32], TokenSpans]:
    """The ids of all texts end to end, shape [tokens], and the characters of each token.

    A text that spells out a control token gives the ids of its characters.
    """
    with _whole_offsets(tokenizer):
        encodings = _encode(texts, tokenizer, split_special_tokens=True).encodings or []
    rows = [encoding.ids for encoding in encodings]
    bounds = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    count = int(bounds[-1])
    offsets = np.fromiter(
        chain.from_iterable(chain.from_iterable(encoding.offsets for encoding in encodings)),
        dtype=np.int64,
        count=2 * count,
    )
    ids = np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=count)
    return ids, TokenSpans(offsets[::2], offsets[1::2], bounds)


@contextmanager
def _whole_offsets(tokenizer: PreTrainedTokenizerFast) -> Generator[None]:
    """Offsets that include the blank space of a token, while the block runs.

    GPT-2's and Llama's post-processors cut it off, so that indentation would belong to no token.
    Without special tokens to add they do nothing else.
    """
    backend = tokenizer.backend_tokenizer
    processor = backend.post_processor
    backend.post_processor = None
    try:
        yield
    finally:
        backend.post_processor = processor


def _encode(
    texts: Sequence[str],
    tokenizer: PreTrainedTokenizerFast,
    *,
    add_special_tokens: bool = False,
    split_special_tokens: bool = False,
) -> BatchEncoding:
    return tokenizer(
        list(texts),
        add_special_tokens=add_special_tokens,
        split_special_tokens=split_special_tokens,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )
