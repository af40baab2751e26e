"""Which pair tables `iterpref train` takes for a model, and which it refuses."""

from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.commands.train import train
from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.lab.shipped import pretrained_dir
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.making import load_tokenizer
from iterpref_assets.core.pairs.tokenization import tokenize_pairs


def write_pairs(folder: Path, chosen: str, said: str) -> Path:
    """A pair whose y+ is `chosen` and has the lab's ids of `said`."""
    row = {"pair_id": "p#0:0-1", "prompt": "Do.", "chosen": said, "rejected": "y = 2",
           "chosen_diff_lines": [0], "rejected_diff_lines": [0]}  # fmt: skip
    pairs = pl.DataFrame([row], schema=tables.PAIRS)
    tokens = tokenize_pairs(pairs, load_tokenizer(pretrained_dir()), PairConfig()).table
    tokens.write_parquet(folder / "pairs.tokens.parquet")
    pairs.with_columns(chosen=pl.lit(chosen)).write_parquet(folder / "pairs.parquet")
    return folder / "pairs.parquet"


def test_ids_of_another_tokenizer_are_refused_before_a_model_loads(tmp_path, no_model_loads):
    """They would be trained on as any others: as noise."""
    pairs = write_pairs(tmp_path, chosen="value = 10", said="total = 23")
    with pytest.raises(InputError, match="token ids of another tokenizer") as caught:
        train(pairs, str(pretrained_dir()), "sft", tmp_path / "out")
    assert "iterpref pairs ... --tokenizer" in caught.value.remedy.replace("'", "")


def test_ids_beyond_the_model_s_vocabulary_are_refused(tmp_path, no_model_loads):
    pairs = write_pairs(tmp_path, chosen="value = 10", said="value = 10")
    file = tmp_path / "pairs.tokens.parquet"
    tokens = pl.read_parquet(file)
    tokens.with_columns(
        chosen_ids=pl.col("chosen_ids").list.eval(pl.element() + 800)
    ).write_parquet(file)
    with pytest.raises(InputError, match="token ids of another tokenizer"):
        train(pairs, str(pretrained_dir()), "sft", tmp_path / "out")


def test_the_model_s_own_ids_are_taken(tmp_path):
    pairs = write_pairs(tmp_path, chosen="value = 10", said="value = 10")
    config = tmp_path / "config.toml"
    config.write_text('batch_size = 2\nepochs = 1\nprecision = "float32"\n')
    train(pairs, str(pretrained_dir()), "sft", tmp_path / "out", config)
    assert (tmp_path / "out" / "model.safetensors").is_file()


def test_a_folder_in_place_of_pairs_is_named(tmp_path):
    with pytest.raises(InputError, match="is a folder") as caught:
        train(tmp_path, "lab", "sft", tmp_path / "out")
    assert caught.value.file == tmp_path
