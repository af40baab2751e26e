"""A plan in words, a line for each of its figures."""

from __future__ import annotations

from collections.abc import Iterator

from iterpref_assets.core.progress import duration
from iterpref_assets.core.training.cards import CARDS, TERA, rate_on, share_of_spec, speed_like
from iterpref_assets.core.training.plan import GB, TRUSTED, TrainingPlan

_WIDTH = 14


def describe(plan: TrainingPlan) -> list[str]:
    """What `plan` needs."""
    return [f"{name:<{_WIDTH}}{text}" for name, text in _figures(plan)]


def times(plan: TrainingPlan) -> list[str]:
    """How long `plan` would take on named cards."""
    return [f"{name:<{_WIDTH}}{text}" for name, text in _times(plan)]


def _figures(plan: TrainingPlan) -> Iterator[tuple[str, str]]:
    held, work, config = plan.held, plan.work, plan.config
    trained = "all" if held.trained == held.parameters else f"{held.trained:,}"
    yield "parameters", f"{held.parameters:,}, of which {trained} are trained"
    batches = f"{config.batch_size} pairs, {config.epochs} times {work.pairs:,}"
    yield "steps", f"{work.steps:,} of {batches}"
    each, padded = work.tokens / work.trained_pairs, work.padded / work.pairs
    shared = f"sharing the prompt alone {work.prompt_shared / work.pairs:,.0f}"
    compared = f"padded to the longer side {padded:,.0f}, {shared}"
    yield "tokens", f"{work.tokens:,} computed, {each:,.0f} a pair; {compared}"
    for name in ("weights", "gradients", "optimizer"):
        yield name, f"{_size(getattr(plan, name))} a process"
    rows, length, read = work.largest
    yield "activations", f"{_size(plan.activations)}: a pass of {rows * length:,} tokens"
    yield "logits", f"{_size(plan.logits)}: {min(config.vocabulary_chunk, read):,} tokens"
    if plan.stepping > held.passing:
        yield "instant", f"{_size(plan.stepping)} while the optimizer steps"
    card = plan.subject.card
    yield "peak", f"{_size(plan.peak)} of {_size(card.memory)} on {card.name}: {_verdict(plan)}"
    model = f"{_size(plan.model)} of model at the end"
    yield "disk", f"{_size(plan.checkpoints)} of checkpoints at most, {model}"
    if plan.copied:
        yield "host memory", f"{_size(plan.copied)} a process while a checkpoint is written"


def _size(count: int) -> str:
    return f"{count / GB:.2f} GB"


def _verdict(plan: TrainingPlan) -> str:
    if plan.fits:
        return "fits"
    if plan.cannot_fit:
        return "does not fit"
    return f"may not fit: a plan may be off by {TRUSTED:.0%}"


def _times(plan: TrainingPlan) -> Iterator[tuple[str, str]]:
    """Hours on named cards, and of them those of the reference log-probabilities."""
    speed = speed_like(
        plan.held.parameters,
        checkpointed=plan.config.gradient_checkpointing,
        compiled=plan.config.compile_layers,
    )
    measured = f"{speed.rate / TERA:.0f} TFLOP/s as measured on H100 ({speed.name})"
    share = f"the spec's matrix rate times the share measured on H100 ({share_of_spec(speed):.0%})"
    yield "time", f"H100: by {measured}; others: by {share}"
    for name, card in CARDS.items():
        rate = rate_on(card, speed) * plan.processes
        first, then = plan.reference_operations / rate, plan.operations / rate
        cards = f"{plan.processes} x {card.name}"
        scored = f", {duration(first)} of it for the reference" if first else ""
        yield f"  {name}", f"{duration(first + then)}{scored}, on {cards}"
