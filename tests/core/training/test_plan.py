"""What a run needs, by hand for a small model, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from training_examples import random_pairs
from transformers import (
    AutoModelForCausalLM,
    GemmaConfig,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
    Starcoder2Config,
)

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.cards import CARDS, SPEEDS, Card, card_named, rate_on, speed_like
from iterpref_assets.core.training.checks import require_gpus, require_runnable
from iterpref_assets.core.training.config import (
    HeldoutConfig,
    Lora,
    Optimizer,
    Precision,
    Sharding,
    TrainConfig,
)
from iterpref_assets.core.training.packing import lay_out, pack
from iterpref_assets.core.training.plan import TrainingPlan, fitting, least_plan, plan
from iterpref_assets.core.training.plan_text import describe, times
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.trainer import packed_pairs

PAIRS = random_pairs(20, seed=0)
RECIPE = recipe_named("focal_rpo")
CPU = Card("a CPU", 10**9, gpu=False)
GPU = Card("a GPU", 10**9)
CONFIG = TrainConfig(
    batch_size=8, epochs=3, precision=Precision.FLOAT32, gradient_checkpointing=False
)
LAYER = (
    2 * (64 * 64) + 64 + 64 * 64 + 2 * (32 * 64 + 32)  # output, query, key and value
    - 64 * 64
    + 3 * 64 * 4096  # gate, up and down
    + 2 * 64  # norms
)  # fmt: skip
PARAMETERS = 2 * LAYER + 50 * 64 + 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's configuration, without weights."""
    place = tmp_path_factory.mktemp("shape")
    Qwen2Config(
        vocab_size=50, hidden_size=64, intermediate_size=4096, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True, dtype="bfloat16",
    ).save_pretrained(place)  # fmt: skip
    return place


def made(folder: Path, card: Card = CPU, recipe=RECIPE, **options) -> TrainingPlan:
    return plan(PAIRS, folder, recipe, CONFIG.model_copy(update=options), card)


def test_no_run_is_below_what_the_shortest_pairs_take(folder):
    least = least_plan(folder, CONFIG, CPU)
    assert 4 * 4 * PARAMETERS <= least.peak < made(folder).peak


def test_parameters_of_a_configuration_without_weights_are_counted(folder):
    assert not list(folder.glob("*.safetensors"))
    assert made(folder).held.parameters == PARAMETERS


@pytest.mark.parametrize(
    ("options", "weight", "gradient", "moments"),
    [
        ({}, 4, 4, 8),
        ({"precision": Precision.MIXED_BFLOAT16}, 4, 4, 8),
        ({"precision": Precision.BFLOAT16}, 2, 2, 4),
        # a byte a value of each moment, and a float32 for every 256 of them
        (
            {"precision": Precision.BFLOAT16, "optimizer": Optimizer.ADAMW_8BIT},
            *(2, 2, 2 * (1 + 4 / 256)),
        ),
    ],
    ids=["float32", "mixed", "bfloat16", "8-bit"],
)
def test_bytes_a_parameter(folder, options, weight, gradient, moments):
    found = made(folder, **options)
    assert found.weights / PARAMETERS == pytest.approx(weight, rel=0.001)
    assert found.gradients / PARAMETERS == pytest.approx(gradient, rel=0.001)
    assert found.optimizer / PARAMETERS == pytest.approx(moments, rel=0.01)


def test_adapters_alone_have_gradients_and_moments(folder):
    found = made(folder, lora=Lora(rank=2))
    # Seven projections a layer, each with rank * (in + out) values.
    sides = 2 * (64 + 64) + 2 * (64 + 32) + 3 * (64 + 4096)
    assert found.held.trained == 2 * 2 * sides
    assert found.gradients == 4 * found.held.trained


def test_checkpointing_keeps_less(folder):
    assert made(folder, gradient_checkpointing=True).activations < made(folder).activations / 1.5


def test_the_step_counts_where_it_holds_more_than_the_passes(folder):
    eight = {"precision": Precision.BFLOAT16, "optimizer": Optimizer.ADAMW_8BIT}
    on_cpu, on_gpu = made(folder, **eight), made(folder, GPU, **eight)
    # weight, gradient and two moments in float32, beside 41 bytes of the search for codes
    assert on_cpu.stepping == (4 * 4 + 41) * 64 * 4096
    assert on_cpu.peak - on_cpu.weights - on_cpu.gradients - on_cpu.optimizer == on_cpu.stepping
    assert on_gpu.stepping == 0


def test_replicated_gradients_lie_in_buckets_too(folder):
    assert made(folder, processes=2).gradients == 2 * made(folder).gradients


def test_sharded_moments_are_divided(folder):
    sharded = made(folder, processes=4, sharding=Sharding.FSDP2)
    assert sharded.optimizer == made(folder).optimizer // 4


def test_disk_has_room_for_two_checkpoints_and_the_model(folder):
    found = made(folder)
    assert found.checkpoints == pytest.approx(2 * (4 + 8) * PARAMETERS, rel=0.001)
    assert found.model == 2 * PARAMETERS


def test_disk_has_room_for_the_best_checkpoint_too_where_patience_may_want_it(folder):
    waiting = HeldoutConfig(share=0.3, patience=2)
    found = made(folder, heldout=waiting)
    assert found.checkpoints == pytest.approx(3 * (4 + 8) * PARAMETERS, rel=0.001)


@pytest.mark.parametrize("nf4", [False, True])
def test_a_checkpoint_of_adapters_holds_them_and_their_moments_alone(folder, nf4):
    found = made(folder, lora=Lora(rank=2, nf4=nf4), precision=Precision.BFLOAT16)
    sides = 2 * (64 + 64) + 2 * (64 + 32) + 3 * (64 + 4096)
    adapters = 2 * 2 * sides
    # peft holds adapters in float32, whatever the weights beside them are in.
    assert found.checkpoints == pytest.approx(2 * (4 + 8) * adapters, rel=0.01)


def test_steps_and_tokens_are_those_of_the_rows(folder):
    found = made(folder).work
    rows = packed_pairs(PAIRS, None, folder, RECIPE, CONFIG)
    reading = RECIPE.readings[0]
    assert found.steps == 3 * 3
    assert found.tokens == 3 * sum(lay_out(pair, reading).inputs for pair in rows.pairs)
    assert found.read == 3 * sum(len(pack(pair, reading).at) for pair in rows.pairs)
    assert found.largest.length == max(lay_out(pair, reading).inputs for pair in rows.pairs)


def test_rows_have_fewer_tokens_than_sides_that_share_the_prompt_or_nothing(folder):
    found = made(folder).work
    assert found.tokens / 3 < found.prompt_shared < found.padded


def test_operations_are_six_a_weight_and_token(folder):
    found = made(folder)
    layers = 2 * LAYER * found.work.tokens
    assert found.operations == 6 * (layers + 64 * 50 * found.work.read)


def test_recipe_without_reference_has_none_to_compute(folder):
    assert made(folder).reference_operations > 0
    assert made(folder, recipe=recipe_named("sft")).reference_operations == 0


def test_what_cannot_fit_is_refused_with_the_settings_that_would(folder):
    peaks = {
        "float32": made(folder, GPU).peak,
        "8-bit": made(
            folder, GPU, gradient_checkpointing=True, precision=Precision.BFLOAT16,
            optimizer=Optimizer.ADAMW_8BIT,
        ).peak,
    }  # fmt: skip
    small = replace(GPU, memory=int(peaks["8-bit"] * 1.01))
    with pytest.raises(InputError) as refused:
        made(folder, small).require_fit()
    assert 'precision = "bfloat16", optimizer = "adamw_8bit"' in refused.value.remedy
    assert "lora = { rank = 16 }" in refused.value.remedy
    assert "gradient_checkpointing = true (" not in refused.value.remedy


def remedies(folder: Path, card: Card, **options) -> list[str]:
    """The settings that would fit a card on which only what is sharded, or little trained, does."""
    return [words for words, _ in fitting(made(folder, card, **options))]


@pytest.mark.parametrize(
    ("card", "batch_size", "offered"),
    [
        *((GPU, 8, [2, 4, 8]), (GPU, 12, [2, 4]), (GPU, 7, []), (CPU, 8, [])),
        (replace(GPU, count=4), 8, [2, 4]),
        (replace(GPU, count=1), 8, []),
    ],
    ids=["all divide", "eight does not", "none divides", "no GPU", "four here", "one here"],
)
def test_processes_are_offered_where_there_are_gpus_and_the_batch_divides(
    folder, card, batch_size, offered
):
    told = remedies(folder, card, batch_size=batch_size)
    assert [int(words.rpartition(" = ")[2]) for words in told if "processes" in words] == offered
    assert [words for words in told if "sharding" in words] == [
        words for words in told if "processes" in words
    ]


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


def test_more_processes_than_gpus_are_refused(two_gpus):
    require_gpus(CONFIG.model_copy(update={"processes": 2}))
    with pytest.raises(InputError, match="4 processes need a GPU each, and 2 are seen here"):
        require_runnable(CONFIG.model_copy(update={"processes": 4}), 4)


def test_the_processes_of_several_hosts_are_not_counted_here(two_gpus, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    require_gpus(CONFIG.model_copy(update={"processes": 4}))


def test_an_option_to_be_unset_is_told_as_one_to_leave_out(folder):
    told = remedies(folder, GPU, max_tokens=100)
    assert "gradient_checkpointing = true, leave max_tokens out" in told
    assert not any("null" in words for words in told)


def test_what_may_fit_is_not_refused(folder):
    peak = made(folder).peak
    near = made(folder, replace(CPU, memory=int(peak / 1.1)))
    near.require_fit()
    assert not near.fits
    assert any("may not fit" in line for line in describe(near))


def test_where_nothing_fits_that_is_said(folder):
    with pytest.raises(InputError, match="No other setting would fit"):
        made(folder, replace(CPU, memory=1000)).require_fit()


def test_micro_batches_by_tokens_bound_the_largest_pass(folder):
    longest = made(folder).work.largest.length
    assert 100 // longest > 1
    assert made(folder, GPU, max_tokens=100).work.largest.length == 100
    assert made(folder, CPU, max_tokens=100).work.largest[:2] == (100 // longest, longest)


def test_rate_of_a_card_not_measured_is_its_spec_times_the_share_of_h100():
    speed = speed_like(7_000_000_000, checkpointed=False, compiled=True)
    assert rate_on(CARDS["h100"], speed) == 397e12
    assert rate_on(CARDS["a100"], speed) == pytest.approx(312e12 * 397 / 989)


def test_speeds_are_those_recorded():
    recorded = {}
    results = Path(__file__).parents[3] / "measurements" / "results" / "gpu-h100.json"
    for part in json.loads(results.read_text()):
        for name, found in part["runs"].items():
            if "operations_a_pair" in found:
                recorded[name] = found["operations_a_pair"] * found["pairs_a_second"] / 1e12
    expected = [
        recorded["7B focal_rpo"], recorded["7B focal_rpo 8-bit"],
        recorded["7B focal_rpo checkpointed"], recorded["0.5B focal_rpo"],
    ]  # fmt: skip
    assert [speed.rate / 1e12 for speed in SPEEDS] == pytest.approx(expected, abs=0.6)


def test_unknown_card_is_named_with_the_known_ones():
    with pytest.raises(InputError, match=r"unknown card 'h101'.*h100, h200"):
        card_named("h101")


def test_plan_names_every_figure(folder):
    given = made(folder)
    names = [line.split()[0] for line in [*describe(given), *times(given)]]
    assert names == [
        "parameters", "steps", "tokens", "weights", "gradients", "optimizer", "activations",
        "logits", "peak", "disk", "time", *CARDS,
    ]  # fmt: skip


def test_four_bits_hold_a_quarter_of_bfloat16(folder):
    half = {"precision": Precision.BFLOAT16}
    whole = made(folder, lora=Lora(rank=2), **half)
    small = made(folder, lora=Lora(rank=2, nf4=True), **half)
    # Of the linear layers only gate, up and down fill whole blocks of 16,384 values.
    linear = 2 * 3 * 64 * 4096
    assert whole.weights - small.weights == 2 * linear - linear // 2 - linear // 64


@pytest.mark.parametrize(
    "kind", [LlamaConfig, MistralConfig, Qwen3Config, Starcoder2Config, GemmaConfig]
)
@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.MIXED_BFLOAT16])
def test_other_architectures_are_planned(tmp_path, kind, precision):
    shape = kind(
        vocab_size=50, hidden_size=64, intermediate_size=128, num_hidden_layers=2, head_dim=16,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128,
    )  # fmt: skip
    shape.save_pretrained(tmp_path)
    model = AutoModelForCausalLM.from_config(shape)
    expected = sum(weight.numel() for weight in model.parameters())
    found = made(tmp_path, precision=precision, gradient_checkpointing=True)
    assert found.held.parameters == expected
    assert found.held.in_layers == sum(weight.numel() for weight in model.model.layers.parameters())
    assert found.activations > 0
