"""The 8-bit optimizer with weights rounded at random, beside mixed precision."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from training_examples import VOCABULARY, random_pairs
from transformers import Qwen2Config, Qwen2ForCausalLM

from iterpref_assets.core.training.config import Optimizer, Precision, TrainConfig
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.reference import compute_reference_logprobs
from iterpref_assets.core.training.trainer import train
from iterpref_assets.core.training.workdir import last_checkpoint

PAIRS = random_pairs(64, seed=0)
CONFIG = TrainConfig(
    learning_rate=5e-5,
    epochs=3,
    batch_size=8,
    micro_batch_size=8,
    gradient_checkpointing=False,
    save_minutes=0,
)
MIXED = {"precision": Precision.MIXED_BFLOAT16}
PLAIN = {"precision": Precision.BFLOAT16}
EIGHT_BIT = PLAIN | {"optimizer": Optimizer.ADAMW_8BIT}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in bfloat16 of weights as large as real ones: about 0.02."""
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("bfloat16")
    Qwen2ForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    return folder


def run(base: Path, folder: Path, options: dict, on_point=lambda _: None) -> list[float]:
    config = CONFIG.model_copy(update=options)
    reference = compute_reference_logprobs(PAIRS, base, config, folder / "reference")
    outcome = train(
        PAIRS, reference, base, recipe_named("focal_rpo"), config,
        folder / "out", folder / "work", on_point,
    )  # fmt: skip
    return [point["loss"] for point in outcome.curve]


@pytest.fixture(scope="module")
def eight_bit(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[float], Path]:
    """The losses of an undisturbed training with the 8-bit optimizer, and what it ends with."""
    folder = tmp_path_factory.mktemp("eight-bit")
    return run(base, folder, EIGHT_BIT), folder / "out"


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def share_moved(base: Path, trained: Path) -> float:
    before, after = weights(base), weights(trained)
    assert {weight.dtype for weight in after.values()} == {torch.bfloat16}
    moved = sum(int((after[name] != before[name]).sum()) for name in before)
    return moved / sum(weight.numel() for weight in before.values())


@pytest.mark.slow
def test_weights_move_as_in_mixed_precision(base, eight_bit, tmp_path):
    losses, out = eight_bit
    in_mixed_precision = run(base, tmp_path / "mixed", MIXED)
    run(base, tmp_path / "plain", PLAIN)
    moved, mixed, plain = (
        share_moved(base, each) for each in (out, tmp_path / "mixed/out", tmp_path / "plain/out")
    )
    assert moved == pytest.approx(mixed, abs=0.03)
    assert losses == pytest.approx(in_mixed_precision, rel=0.01)
    # What it is there for: without it, most of what a step would move is rounded away.
    assert plain < mixed - 0.3


@pytest.mark.slow
def test_moments_are_of_eight_bits_and_resumed_from(base, eight_bit, tmp_path):
    def stop_at_step_15(point):
        if point["step"] == 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(base, tmp_path / "cut", EIGHT_BIT, stop_at_step_15)
    shards = (last_checkpoint(tmp_path / "cut" / "work") / "shards").glob("*.safetensors")
    state = {name: tensor for shard in shards for name, tensor in load_file(shard).items()}
    large = [name for name, weight in weights(base).items() if weight.numel() >= 4096]
    assert large
    moments = [f"optimizer.{name}.{of}.codes" for name in large for of in ("exp_avg", "exp_avg_sq")]
    assert {state[moment].dtype for moment in moments} == {torch.uint8}
    run(base, tmp_path / "cut", EIGHT_BIT)
    resumed, whole = weights(tmp_path / "cut" / "out"), weights(eight_bit[1])
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
