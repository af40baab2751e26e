"""`iterpref train` from tables to a model folder."""

import json
from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.commands.train import read_config, train
from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError

PAIRS = pl.DataFrame(
    {
        "pair_id": ["a", "b"],
        "prompt_ids": [[1, 2], [3]],
        "chosen_ids": [[4, 5, 0], [6, 0]],
        "rejected_ids": [[4, 6, 0], [7, 0]],
        "chosen_mask": [[False, True, False], [True, False]],
        "rejected_mask": [[False, True, False], [True, False]],
    },
    schema=tables.TOKENIZED_PAIRS,
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=10,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
    )
    Qwen2ForCausalLM(config).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    options = {"batch_size": 2, "epochs": 1, "precision": "float32"}
    file.write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in options.items()))
    return file


def test_a_model_and_its_curves_are_written_and_the_work_removed(tmp_path, model, config):
    PAIRS.write_parquet(tmp_path / "pairs.tokens.parquet")
    train(tmp_path / "pairs.parquet", model, "focal_rpo", tmp_path / "out", config)
    assert (tmp_path / "out" / "model.safetensors").is_file()
    lines = (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1]
    assert not (tmp_path / "out.work").exists()


def test_unknown_recipe_is_refused_before_anything_is_read(tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(InputError, match="unknown recipe 'orpo'"):
        train(missing, missing, "orpo", missing, missing)


def test_missing_pairs_are_named(tmp_path, config):
    with pytest.raises(InputError, match=r"pairs\.parquet: no such table"):
        train(tmp_path / "pairs.parquet", tmp_path, "sft", tmp_path / "out", config)


def test_unknown_option_is_named_with_the_known_ones(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("learning_rat = 1")
    with pytest.raises(InputError, match=r"learning_rat'.*learning_rate, epochs"):
        read_config(file)
