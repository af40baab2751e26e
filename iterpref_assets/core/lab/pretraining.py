"""Training the lab's base model from scratch, to a strength that leaves something to learn."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from iterpref_assets.core.lab.corpus import Lesson, draw_lessons
from iterpref_assets.core.lab.tokenizer import PAD, TURN_END, train_tokenizer
from iterpref_assets.core.progress import track
from iterpref_assets.core.prompts import fenced
from iterpref_assets.core.randomness import derive_rng, derive_seed
from iterpref_assets.core.records import Record

if TYPE_CHECKING:
    import torch
    from transformers import Qwen2ForCausalLM, Qwen2Tokenizer

CONTEXT = 1024
"""Tokens of prompt and answer together."""
TOKENIZER_LESSONS = 2000
"""Lessons that the tokenizer is learned from."""
SORTED_LESSONS = 2000
"""Lessons that are sorted by length at a time, to be cut into batches."""


class PretrainConfig(Record):
    """The lab's base model and its training; `steps` is the dial of its strength."""

    seed: int = 0
    vocab_size: int = 800
    hidden_size: int = 192
    intermediate_size: int = 512
    layers: int = 3
    heads: int = 6
    key_value_heads: int = 3
    steps: int = Field(default=560, ge=1)
    decay_steps: int = Field(default=600, ge=1)
    """Steps after which the learning rate would reach zero; training may stop before."""
    batch_tokens: int = Field(default=4096, ge=CONTEXT)
    """Tokens of a step, padding included; lessons of about equal length share a step."""
    debug_share: float = Field(default=0.4, ge=0.0, le=1.0)
    matrix_learning_rate: float = 0.01
    """Peak rate of Muon, which trains the matrices of the layers."""
    other_learning_rate: float = 0.003
    """Peak rate of AdamW, which trains embeddings, norms and biases."""
    warmup_steps: int = 10
    prompt_weight: float = Field(default=0.1, ge=0.0, le=1.0)
    """Weight of the prompt's tokens in the loss beside the answer's."""

    @model_validator(mode="after")
    def _learns_at_every_step(self) -> Self:
        if self.steps > self.decay_steps:
            raise ValueError(
                f"{self.steps} steps, but the learning rate is 0 after {self.decay_steps}"
            )
        return self


@dataclass(frozen=True, slots=True)
class EncodedLesson:
    """One lesson as token ids; the answer starts at `answer_start` and ends with the turn."""

    ids: tuple[int, ...]
    answer_start: int


@dataclass(frozen=True)
class Pretrained:
    """A trained model with its tokenizer and the answer loss (nats a token) of each step."""

    model: Qwen2ForCausalLM
    tokenizer: Qwen2Tokenizer
    losses: list[float]

    def save(self, folder: Path) -> None:
        """Write weights, configuration and tokenizer as transformers and vLLM read them."""
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def pretrain(config: PretrainConfig, stop_after: int | None = None) -> Pretrained:
    """Train a model; `stop_after` ends the very same training early."""
    import torch

    torch.manual_seed(derive_seed("lab model", config.seed))
    tokenizer = lab_tokenizer(config)
    model = build_model(config, tokenizer)
    optimizers = _optimizers(config, model)
    losses: list[float] = []
    steps = min(config.steps, stop_after or config.steps)
    with track("lab model", steps) as tracker:
        for step, batch in enumerate(batches(config, tokenizer, steps)):
            scale = _rate(config, step)
            for optimizer, peak in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = peak * scale
                optimizer.zero_grad(set_to_none=True)
            loss, answer_loss = lesson_loss(model, batch, config.prompt_weight)
            loss.backward()
            for optimizer, _ in optimizers:
                optimizer.step()
            losses.append(answer_loss)
            tracker.advance(loss=answer_loss)
    return Pretrained(model.eval(), tokenizer, losses)


def lab_tokenizer(config: PretrainConfig) -> Qwen2Tokenizer:
    """The tokenizer that belongs to `config`."""
    texts = (
        "\n".join([*(message.content for message in lesson.conversation), fenced(lesson.code)])
        for lesson in itertools.islice(
            draw_lessons(derive_seed("tokenizer", config.seed), config.debug_share),
            TOKENIZER_LESSONS,
        )
    )
    return train_tokenizer(texts, config.vocab_size, CONTEXT)


def build_model(config: PretrainConfig, tokenizer: Qwen2Tokenizer) -> Qwen2ForCausalLM:
    """The untrained model, float32."""
    from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM

    end, pad = (tokenizer.backend_tokenizer.token_to_id(token) for token in (TURN_END, PAD))
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.key_value_heads,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=end,
            pad_token_id=pad,
        )
    )
    model.generation_config = GenerationConfig(eos_token_id=end, pad_token_id=pad)
    return model


def encode_lesson(tokenizer: Qwen2Tokenizer, lesson: Lesson) -> EncodedLesson:
    """The token ids of a conversation, its answer and the end of the turn."""
    turns = [{"role": m.role.value, "content": m.content} for m in lesson.conversation]
    prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    prompt_ids = tokenizer.encode(str(prompt), add_special_tokens=False)
    answer_ids = tokenizer.encode(fenced(lesson.code) + TURN_END, add_special_tokens=False)
    return EncodedLesson((*prompt_ids, *answer_ids), len(prompt_ids))


def batches(
    config: PretrainConfig, tokenizer: Qwen2Tokenizer, steps: int
) -> Iterator[list[EncodedLesson]]:
    """The lessons of each step: `batch_tokens` at most, of about equal length."""
    lessons = (
        encode_lesson(tokenizer, lesson)
        for lesson in draw_lessons(derive_seed("train", config.seed), config.debug_share)
    )
    ready: list[list[EncodedLesson]] = []
    rng = derive_rng("lab batches", config.seed)
    for _ in range(steps):
        if not ready:
            ready = _cut(list(itertools.islice(lessons, SORTED_LESSONS)), config.batch_tokens)
            rng.shuffle(ready)
        yield ready.pop()


def lesson_loss(
    model: Qwen2ForCausalLM, batch: Sequence[EncodedLesson], prompt_weight: float
) -> tuple[torch.Tensor, float]:
    """The loss to descend, and the mean loss of the answers' tokens alone (nats).

    Rows are padded on the right, where causal attention needs no mask.
    """
    import torch
    from torch.nn.functional import cross_entropy

    width = max(len(lesson.ids) for lesson in batch)
    ids = torch.zeros((len(batch), width), dtype=torch.long)
    weights = torch.zeros((len(batch), width))
    for row, lesson in enumerate(batch):
        ids[row, : len(lesson.ids)] = torch.tensor(lesson.ids)
        weights[row, 1 : lesson.answer_start] = prompt_weight
        weights[row, lesson.answer_start : len(lesson.ids)] = 1.0
    targets, weights = ids[:, 1:], weights[:, 1:]
    scored = weights > 0
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = model.model(input_ids=ids[:, :-1]).last_hidden_state[scored]
        logits = model.lm_head(hidden)
    losses = cross_entropy(logits.float(), targets[scored], reduction="none")
    weights = weights[scored]
    answers = losses.detach()[weights == 1.0].mean().item()
    return (losses * weights).sum() / weights.sum(), answers


def _cut(lessons: list[EncodedLesson], batch_tokens: int) -> list[list[EncodedLesson]]:
    cut: list[list[EncodedLesson]] = [[]]
    for lesson in sorted(lessons, key=lambda lesson: len(lesson.ids)):
        if (len(cut[-1]) + 1) * len(lesson.ids) > batch_tokens:
            cut.append([])
        cut[-1].append(lesson)
    return cut


def _optimizers(
    config: PretrainConfig, model: Qwen2ForCausalLM
) -> list[tuple[torch.optim.Optimizer, float]]:
    import torch

    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]  # noqa: PLR2004
    chosen = {id(parameter) for parameter in matrices}
    others = [parameter for parameter in model.parameters() if id(parameter) not in chosen]
    muon = torch.optim.Muon(
        matrices, lr=config.matrix_learning_rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"
    )
    adam = torch.optim.AdamW(
        others, lr=config.other_learning_rate, betas=(0.9, 0.95), weight_decay=0.0
    )
    return [(muon, config.matrix_learning_rate), (adam, config.other_learning_rate)]


def _rate(config: PretrainConfig, step: int) -> float:
    """Share of the peak learning rate: warm-up, then a straight line down to zero."""
    return min((step + 1) / config.warmup_steps, max(1 - step / config.decay_steps, 0.0))
