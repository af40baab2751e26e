"""`iterpref train` from tables to a model folder."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from typer import Typer
from typer.testing import CliRunner

from iterpref_assets.commands.train import train
from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training import cards, launch
from iterpref_assets.core.training.cards import Card
from iterpref_assets.core.training.config import HeldoutConfig, read_train_config
from iterpref_assets.core.training.workdir import model_digest, table_digest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "training").glob("*.toml"))
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


OPTIONS = {"batch_size": 2, "epochs": 1, "precision": "float32"}


def write_config(folder: Path, options: dict[str, object]) -> Path:
    file = folder / "config.toml"
    file.write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in options.items()))
    return file


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path, OPTIONS)


def test_a_model_and_its_curves_are_written_and_the_work_removed(tmp_path, model, config):
    PAIRS.write_parquet(tmp_path / "pairs.tokens.parquet")
    train(tmp_path / "pairs.parquet", str(model), "focal_rpo", tmp_path / "out", config)
    assert (tmp_path / "out" / "model.safetensors").is_file()
    lines = (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1]
    assert not (tmp_path / "out.work").exists()


def test_unknown_recipe_is_refused_before_anything_is_read(tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(InputError, match="unknown recipe 'orpo'"):
        train(missing, "lab", "orpo", missing, missing)


def test_missing_pairs_are_named(tmp_path, config):
    with pytest.raises(InputError, match=r"pairs\.parquet: no such table"):
        train(tmp_path / "pairs.parquet", str(tmp_path), "sft", tmp_path / "out", config)


def test_unknown_option_is_named_with_the_known_ones(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("learning_rat = 1")
    with pytest.raises(InputError, match=r"learning_rat'.*learning_rate, epochs"):
        read_train_config(file)


def test_manifest_names_what_the_model_was_made_of(tmp_path, model, config):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    train(tmp_path / "pairs.parquet", str(model), "focal_rpo", tmp_path / "out", config)
    manifest = json.loads((tmp_path / "out" / "training.json").read_text())
    assert manifest["recipe"]["name"] == "focal_rpo"
    assert manifest["recipe"]["beta"] == 0.1
    assert manifest["config"]["batch_size"] == 2
    assert manifest["model_sha256"] == model_digest(model)
    assert manifest["pairs_sha256"] == table_digest(PAIRS)
    assert manifest["code_version"]
    assert manifest["figures"]["steps"] == 1


def test_finished_model_is_not_overwritten(tmp_path, model, config):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    train(tmp_path / "pairs.parquet", str(model), "sft", tmp_path / "out", config)
    with pytest.raises(InputError, match="exists already"):
        train(tmp_path / "pairs.parquet", str(model), "sft", tmp_path / "out", config)


def test_contradictory_options_are_refused(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('sharding = "fsdp2"\n[lora]\nrank = 4\n')
    with pytest.raises(InputError, match="leave one of them out"):
        read_train_config(file)


@pytest.mark.parametrize(
    ("recipe", "options", "message"),
    [
        ("dpo", {"alpha": 2.0}, "field 'alpha': recipe 'dpo' has no term.*Leave alpha unset"),
        ("sft", {"beta": 0.3}, "field 'beta': recipe 'sft' has no term.*Leave beta unset"),
        ("rpo", {"sharding": "fsdp2"}, "field 'sharding': fsdp2 shards over.*torchrun"),
        ("rpo", {"processes": 3}, "field 'batch_size': 2 pairs cannot be split over 3.*multiple"),
        ("rpo", {"attention": "flex_attention"}, "field 'attention': .*needs a GPU.*sdpa"),
        ("rpo", {"report_to": ["diary"]}, "field 'report_to': diary is not supported"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_contradiction_is_refused_before_a_model_loads(
    tmp_path, model, no_model_loads, recipe, options, message
):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    file = write_config(tmp_path, OPTIONS | options)
    with pytest.raises(InputError, match=message):
        train(tmp_path / "pairs.parquet", str(model), recipe, tmp_path / "out", file)


def test_tracker_that_is_not_installed_is_refused_before_a_model_loads(
    tmp_path, model, no_model_loads, monkeypatch
):
    from transformers.integrations import integration_utils

    monkeypatch.setattr(integration_utils, "is_wandb_available", lambda: False)
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    file = write_config(tmp_path, OPTIONS | {"report_to": ["wandb"]})
    with pytest.raises(InputError, match=r"field 'report_to'.*wandb to be installed"):
        train(tmp_path / "pairs.parquet", str(model), "rpo", tmp_path / "out", file)


def test_missing_deepspeed_is_named_before_a_model_loads(
    tmp_path, model, no_model_loads, monkeypatch
):
    monkeypatch.setitem(sys.modules, "deepspeed", None)
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    file = write_config(tmp_path, OPTIONS | {"sharding": "zero3", "processes": 2})
    with pytest.raises(InputError, match="pip install deepspeed"):
        train(tmp_path / "pairs.parquet", str(model), "rpo", tmp_path / "out", file)


def test_prompt_that_leaves_no_room_is_refused_before_a_model_loads(
    tmp_path, model, no_model_loads
):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    file = write_config(tmp_path, OPTIONS | {"max_length": 2})
    with pytest.raises(InputError, match=r"that of pair a with 2 tokens.*Raise max_length"):
        train(tmp_path / "pairs.parquet", str(model), "rpo", tmp_path / "out", file)


def test_contradiction_is_refused_before_the_pairs_are_read(tmp_path):
    file = write_config(tmp_path, {"alpha": 2.0})
    with pytest.raises(InputError, match="no term that alpha weighs"):
        train(tmp_path / "missing", "missing", "dpo", tmp_path / "out", file)


def test_strength_of_the_config_is_that_of_the_manifest(tmp_path, model):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    file = write_config(tmp_path, OPTIONS | {"alpha": 3.0})
    train(tmp_path / "pairs.parquet", str(model), "rpo", tmp_path / "out", file)
    manifest = json.loads((tmp_path / "out" / "training.json").read_text())
    assert manifest["recipe"]["alpha"] == 3.0


def test_parts_of_a_reference_in_another_precision_are_not_taken_up(tmp_path, model, monkeypatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "train_model", stop)
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    for precision in ("float32", "bfloat16"):
        file = write_config(tmp_path, OPTIONS | {"precision": precision})
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "pairs.parquet", str(model), "rpo", tmp_path / "out", file)
    references = [pl.read_parquet(file) for file in (tmp_path / "out.work").glob("*.parquet")]
    assert len(references) == 2
    assert not references[0].equals(references[1])


def test_plan_is_told_and_nothing_is_trained(tmp_path, model, config, no_model_loads, capsys):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    (model / "model.safetensors").unlink()
    places = tmp_path / "pairs.parquet", str(model), "focal_rpo", tmp_path / "out", config
    train(*places, plan=True, card="a100")
    told = capsys.readouterr().out
    assert "on NVIDIA A100 80GB: fits" in told
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("recipe", ["focal_rpo", "diff_augment"])
def test_plan_reads_configuration_and_tokenizer_alone(
    tmp_path, model, tokenizer, config, recipe, no_model_loads
):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    shutil.copy(model / "config.json", tokenizer)
    app = Typer()
    app.command()(train)
    options = {
        "--pairs": tmp_path / "pairs.parquet",
        "--model": tokenizer,
        "--recipe": recipe,
        "--config": config,
        "--card": "a100",
    }
    arguments = [str(part) for option in options.items() for part in option]
    result = CliRunner().invoke(app, ["--plan", *arguments])
    assert result.exception is None
    assert "on NVIDIA A100 80GB: fits" in result.stdout


def test_training_without_a_place_for_the_model_is_refused(tmp_path, model, config):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    with pytest.raises(InputError, match="Give --out"):
        train(tmp_path / "pairs.parquet", str(model), "focal_rpo", None, config)


def test_plan_for_an_unknown_card_is_refused(tmp_path, model, config):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    places = tmp_path / "pairs.parquet", str(model), "focal_rpo", tmp_path / "out", config
    with pytest.raises(InputError, match="unknown card 'p100'"):
        train(*places, plan=True, card="p100")


def test_plan_is_logged_before_training(tmp_path, model, config, caplog):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    with caplog.at_level("INFO", logger="iterpref"):
        train(tmp_path / "pairs.parquet", str(model), "focal_rpo", tmp_path / "out", config)
    planned = "plan focal_rpo: peak "
    peak = next(place for place, text in enumerate(caplog.messages) if text.startswith(planned))
    assert "fits" in caplog.messages[peak]
    assert any("train focal_rpo" in text for text in caplog.messages[peak:])


def test_run_that_cannot_fit_is_refused_before_a_model_loads(
    tmp_path, model, config, no_model_loads, monkeypatch
):
    monkeypatch.setattr(cards, "card_here", lambda _: Card("a small card", 1000))
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    with pytest.raises(InputError, match=r"a small card has 0\.0 GB"):
        train(tmp_path / "pairs.parquet", str(model), "focal_rpo", tmp_path / "out", config)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_example_configs_are_the_papers_batches(file):
    options = read_train_config(file)
    assert options.batch_size == 128
    assert options.epochs == 3


@pytest.mark.slow
def test_processes_of_torchrun_write_one_model(tmp_path, model, config):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    arguments = ["--pairs", tmp_path / "pairs.parquet", "--model", model, "--recipe", "focal_rpo"]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for out, starter in (("one", [sys.executable]), ("two", torchrun)):
        command = [*starter, "-m", "iterpref_assets", "train", *arguments, "--config", config]
        subprocess.run([*command, "--out", tmp_path / out], check=True)
    one, two = (load_file(tmp_path / out / "model.safetensors") for out in ("one", "two"))
    assert one.keys() == two.keys()
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)
    assert not (tmp_path / "two.work").exists()


def test_a_flag_goes_before_the_file_and_names_a_field_of_the_settings(tmp_path, model, config):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    train(
        tmp_path / "pairs.parquet", str(model), "focal_rpo", tmp_path / "out", config,
        learning_rate=3e-4, beta=0.3, alpha=2.0, epochs=2, seed=5,
    )  # fmt: skip
    manifest = json.loads((tmp_path / "out" / "training.json").read_text())
    told = manifest["config"]
    assert (told["learning_rate"], told["epochs"], told["seed"]) == (3e-4, 2, 5)
    assert told["batch_size"] == OPTIONS["batch_size"]
    assert (manifest["recipe"]["beta"], manifest["recipe"]["alpha"]) == (0.3, 2.0)


def test_a_flag_of_a_section_leaves_the_others_of_the_file(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("[heldout]\nshare = 0.2\nevery = 7\n")
    options = read_train_config(file, {"heldout": {"patience": 3}})
    assert options.heldout == HeldoutConfig(share=0.2, every=7, patience=3)


def test_a_flag_out_of_range_is_named(tmp_path):
    with pytest.raises(InputError, match="field 'learning_rate'"):
        train(tmp_path, "lab", "rpo", tmp_path / "out", learning_rate=-1.0)


def test_pairs_as_json_are_refused_with_the_command_that_makes_a_table(tmp_path):
    pairs = tmp_path / "dpo_59k.json"
    pairs.write_text("[]")
    table = tmp_path / "dpo_59k.parquet"
    with pytest.raises(InputError) as refusal:
        train(pairs, "lab", "focal_rpo", tmp_path / "out")
    made = f"iterpref pairs --trajectories {pairs} --tokenizer lab --out {table}"
    assert made in str(refusal.value)
    assert f"--pairs {table}" in str(refusal.value)


def test_a_model_that_is_nowhere_is_refused_after_the_pairs_were_found_well(tmp_path, config):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    with pytest.raises(InputError, match="no model 'nowhere'"):
        train(tmp_path / "pairs.parquet", "nowhere", "rpo", tmp_path / "out", config)


def test_the_manifest_tells_where_the_base_model_comes_from(tmp_path, model, config):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    train(tmp_path / "pairs.parquet", str(model), "sft", tmp_path / "out", config)
    manifest = json.loads((tmp_path / "out" / "training.json").read_text())
    assert manifest["base_model"] == {"source": "local", "path": str(model)}


def test_figures_on_held_out_pairs_are_told(tmp_path, model, config, capsys):
    pairs = pl.concat([PAIRS.with_columns(pair_id=pl.col("pair_id") + str(n)) for n in range(6)])
    pairs.write_parquet(tmp_path / "pairs.parquet")
    train(
        tmp_path / "pairs.parquet", str(model), "focal_rpo", tmp_path / "out", config,
        heldout_share=0.4, heldout_every=1, patience=1,
    )  # fmt: skip
    told = capsys.readouterr().out
    assert "eval reward accuracy: " in told
    assert "best step: " in told
