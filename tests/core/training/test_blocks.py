"""Several pairs in one row through FlexAttention, run without compiling on the CPU."""

import pytest
import torch
from packed import packed_loss
from plain_equations import plain_loss
from torch.nn.attention import flex_attention as flex
from training_examples import EDGE_PAIRS
from transformers import AutoModelForCausalLM
from transformers.integrations import flex_attention as integration

from iterpref_assets.core.training.batches import (
    BLOCK,
    block_mask,
    branch_mask,
    collate,
    collate_joined,
)
from iterpref_assets.core.training.config import Attention
from iterpref_assets.core.training.packing import pack
from iterpref_assets.core.training.policy import MODEL_INPUTS, give_logprobs
from iterpref_assets.core.training.recipes import RECIPES, recipe_named

ROWS = [
    pack(pair, recipe.readings[0])
    for recipe in (recipe_named("focal_rpo"), recipe_named("dpo"))
    for pair in [*EDGE_PAIRS.values()] * 4
]
"""72 pairs, more than an 8-bit code could tell apart."""


@pytest.fixture
def eager_flex(monkeypatch):
    """FlexAttention's own formulas: compiled it has no backward pass on a CPU."""
    monkeypatch.setattr(flex, "_validate_device", lambda *_: None)
    monkeypatch.setattr(
        integration, "compile_friendly_flex_attention",
        lambda query, key, value, training=False, **kwargs: flex.flex_attention(
            query, key, value, **kwargs
        ),
    )  # fmt: skip


def test_block_mask_is_the_dense_mask():
    codes = collate_joined(ROWS)["codes"]
    length = codes.shape[1]
    blocks = block_mask(codes)
    dense = flex.create_mask(blocks.mask_mod, 1, 1, length, length, device="cpu")
    assert torch.equal(dense, branch_mask(codes))
    # every block that holds something seen is visited
    seen = dense.view(length // BLOCK, BLOCK, length // BLOCK, BLOCK).any(3).any(1)
    assert torch.equal(blocks.to_dense()[0, 0].bool(), seen)


def test_joined_pairs_see_in_the_row_what_they_see_alone():
    joined = branch_mask(collate_joined(ROWS)["codes"])[0, 0]
    alone = [branch_mask(collate([row])["codes"])[0, 0] for row in ROWS]
    length = sum(len(mask) for mask in alone)
    assert torch.equal(joined[:length, :length], torch.block_diag(*alone).bool())


def test_joined_row_fills_whole_blocks_and_reads_the_same_tokens():
    joined, padded = collate_joined(ROWS), collate(ROWS)
    assert joined["input_ids"].shape == (
        1,
        -(-sum(len(r.input_ids) for r in ROWS) // BLOCK) * BLOCK,
    )
    for name in ("input_ids", "position_ids"):
        read = [batch[name].flatten()[batch["at"]] for batch in (joined, padded)]
        assert torch.equal(*read), name
    assert torch.equal(joined["pair"], padded["pair"])
    assert joined["pairs"] == len(ROWS)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_flex_attention_gives_the_plain_loss_and_gradients(model_dir, recipe, eager_flex):
    pairs = list(EDGE_PAIRS.values())
    plain = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float64)
    readings = [recipe.readings[i % len(recipe.readings)] for i in range(len(pairs))]
    expected = plain_loss(plain, pairs, readings, recipe)
    expected.backward()

    packed = AutoModelForCausalLM.from_pretrained(
        model_dir, dtype=torch.float32, attn_implementation=Attention.BLOCKS.value
    )
    give_logprobs(packed, 7)
    loss = packed_loss(packed, pairs, recipe, collate_joined)
    loss.backward()

    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
    gradients = dict(packed.named_parameters())
    for name, parameter in plain.named_parameters():
        difference = (gradients[name].grad.double() - parameter.grad).abs().max().item()
        assert difference < 1e-5 * max(1.0, parameter.grad.abs().max().item()), name


def test_flex_attention_does_not_let_a_pair_see_another(model_dir, eager_flex):
    model = AutoModelForCausalLM.from_pretrained(
        model_dir, attn_implementation=Attention.BLOCKS.value
    )
    give_logprobs(model, 64)
    batches = [collate_joined(ROWS[:2]), collate_joined([ROWS[1]])]
    with torch.no_grad():
        both, second = (model(**{name: b[name] for name in MODEL_INPUTS}) for b in batches)
    assert torch.allclose(both[-len(second) :], second, atol=1e-6)
