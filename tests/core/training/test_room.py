"""Pairs whose prompt fills all of max_length are left out, and too many of them are refused."""

from pathlib import Path

import polars as pl
import pytest
from safetensors.torch import load_file
from training_examples import random_pairs

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.checks import with_room
from iterpref_assets.core.training.config import HeldoutConfig, Precision, TrainConfig
from iterpref_assets.core.training.heldout import problem_of, split_pairs
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.reference import compute_reference_logprobs
from iterpref_assets.core.training.trainer import TrainOutcome, train

PAIRS = random_pairs(20, seed=0)
LONGEST = int(PAIRS["prompt_ids"].list.len().max())  # type: ignore[arg-type]
ROOM = 100


def long_pairs(count: int, tokens: int) -> pl.DataFrame:
    """The last pairs of PAIRS by other names, with a prompt of so many tokens."""
    return PAIRS.tail(count).with_columns(
        pl.format("long-{}", "pair_id").alias("pair_id"),
        pl.lit([1] * tokens, dtype=pl.List(pl.Int32())).alias("prompt_ids"),
    )


def test_a_prompt_that_fills_max_length_is_left_out() -> None:
    assert with_room(PAIRS.vstack(long_pairs(1, ROOM)), ROOM).equals(PAIRS)


def test_a_prompt_that_leaves_one_token_stays() -> None:
    pairs = PAIRS.vstack(long_pairs(1, ROOM - 1))
    assert with_room(pairs, ROOM).equals(pairs)


def test_a_tenth_is_left_out() -> None:
    assert with_room(PAIRS.head(18).vstack(long_pairs(2, ROOM)), ROOM).height == 18


def test_more_than_a_tenth_are_refused_with_the_longest() -> None:
    pairs = PAIRS.head(17).vstack(long_pairs(2, ROOM))
    with pytest.raises(InputError, match=r"2 of 19 pairs leave no room .* pair long-.* 100 tokens"):
        with_room(pairs, ROOM)


def trained(
    model_dir: Path,
    folder: Path,
    pairs: pl.DataFrame,
    name: str,
    heldout: HeldoutConfig | None = None,
) -> TrainOutcome:
    config = TrainConfig(
        epochs=1, batch_size=8, micro_batch_size=4, precision=Precision.FLOAT32, max_length=ROOM,
        gradient_checkpointing=False, heldout=heldout,
    )  # fmt: skip
    reference = compute_reference_logprobs(pairs, model_dir, config, folder / f"{name}-reference")
    places = folder / name, folder / f"{name}-work"
    recipe = recipe_named("focal_rpo")
    return train(pairs, reference, model_dir, recipe, config, *places, lambda _: None)


def test_training_goes_on_without_them_and_tells_how_many(
    model_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert LONGEST < ROOM
    trained(model_dir, tmp_path, PAIRS, "short")
    outcome = trained(model_dir, tmp_path, PAIRS.vstack(long_pairs(1, ROOM)), "with_long")
    assert outcome.figures["pairs_without_room"] == 1
    told = "max_length 100 leaves no room behind the prompts of 1 of 21 pairs: left out"
    assert told in [record.getMessage() for record in caplog.records]
    one, other = (
        load_file(tmp_path / which / "model.safetensors") for which in ("short", "with_long")
    )
    assert all(one[name].equal(other[name]) for name in one)


def test_the_share_is_that_of_all_pairs_also_where_some_are_held_out(
    model_dir: Path, tmp_path: Path
) -> None:
    heldout = HeldoutConfig(share=0.2, every=1)
    _, kept_out = split_pairs(PAIRS, heldout)
    assert 0 < kept_out.height < 9  # one more would be more than a tenth of these alone
    name = problem_of(kept_out["pair_id"][0])
    long = long_pairs(1, ROOM).with_columns(pl.lit(f"{name}#long").alias("pair_id"))
    outcome = trained(model_dir, tmp_path, PAIRS.vstack(long), "held", heldout)
    assert outcome.figures["pairs_without_room"] == 1
    assert outcome.figures["heldout_pairs"] == kept_out.height
