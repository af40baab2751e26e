"""One row per pair: `[prompt + common prefix | rest of y+ | y- from the first difference on]`.

A causal model's activations depend on earlier tokens alone, so y+ and y- share theirs up to the
first token that differs, and whatever comes after the last token that the recipe reads changes
nothing: one row with restarted positions, whose two branches do not see each other, gives the same
log-probabilities and gradients as two full rows. This module holds no tensors: it plans and packs
with numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iterpref_assets.core.training.recipes import Reading, Side, Tokens

Ids = NDArray[np.int32]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

SHARED, CHOSEN, REJECTED, PADDING = 0, 1, 2, 3
"""The segments of a row; a branch sees the shared segment and itself."""


@dataclass(frozen=True, slots=True)
class CompletionTokens:
    """One side of a pair: [T] token ids, [T] marks of the difference, [T] reference log-probs.

    `widened` and `middle` mark what Tokens.WIDENED and Tokens.FOCUSED read of this side, where
    a reading of the recipe asks for them; elsewhere they are the difference. `reference` is all
    zeros where the recipe needs none.
    """

    ids: Ids
    difference: Mask
    widened: Mask
    middle: Mask
    reference: Floats

    def cut(self, length: int) -> CompletionTokens:
        """The first `length` tokens."""
        return CompletionTokens(
            self.ids[:length],
            self.difference[:length],
            self.widened[:length],
            self.middle[:length],
            self.reference[:length],
        )


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A prompt [P >= 1] and its two completions."""

    prompt: Ids
    chosen: CompletionTokens
    rejected: CompletionTokens

    def cut(self, max_length: int) -> TokenPair:
        """The pair with each completion cut so that prompt and completion fit `max_length`."""
        room = max(max_length - len(self.prompt), 0)
        return TokenPair(self.prompt, self.chosen.cut(room), self.rejected.cut(room))


@dataclass(frozen=True, slots=True)
class PackedRow:
    """A row of L input tokens and the N predictions that the loss reads from it.

    Attributes:
        input_ids, position_ids: [L].
        segments: [L] SHARED, CHOSEN or REJECTED.
        at: [N] the index in the row whose output predicts the token.
        targets: [N] the predicted token.
        chosen, rejected, imitated: [N] weights, as in losses.TokenReadings.
        of_chosen, of_rejected, of_difference: [N] 1 where the token is read as part of y+, y- or
            D-, for the curves.
        reference_chosen, reference_rejected: [N] nats.
    """

    input_ids: Ids
    position_ids: Ids
    segments: NDArray[np.int8]
    at: Ids
    targets: Ids
    chosen: Floats
    rejected: Floats
    imitated: Floats
    of_chosen: Floats
    of_rejected: Floats
    of_difference: Floats
    reference_chosen: Floats
    reference_rejected: Floats


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a row's parts end: `common` tokens are shared, each side is read up to its end."""

    prompt: int
    common: int
    chosen_end: int
    rejected_end: int

    @property
    def shared_inputs(self) -> int:
        """Input tokens of the shared segment; a row's last token predicts nothing."""
        branches = max(self.chosen_end, self.rejected_end) > self.common
        return self.prompt + self.common - (0 if branches or self.common == 0 else 1)

    @property
    def chosen_inputs(self) -> int:
        """Input tokens of the chosen branch: all but its last, which predicts nothing."""
        return max(self.chosen_end - self.common - 1, 0)

    @property
    def rejected_inputs(self) -> int:
        """Input tokens of the rejected branch."""
        return max(self.rejected_end - self.common - 1, 0)

    @property
    def inputs(self) -> int:
        """Tokens that the model must compute."""
        return self.shared_inputs + self.chosen_inputs + self.rejected_inputs


def read_tokens(completion: CompletionTokens, tokens: Tokens) -> Mask:
    """[T] which tokens of `completion` enter the preference term."""
    match tokens:
        case Tokens.ALL | Tokens.FOCUSED:
            return np.ones(len(completion.ids), dtype=np.bool_)
        case Tokens.DIFFERENCE:
            return completion.difference
        case Tokens.WIDENED:
            return completion.widened
        case Tokens.NONE:
            return np.zeros(len(completion.ids), dtype=np.bool_)


def token_weights(completion: CompletionTokens, tokens: Tokens) -> Floats:
    """[T] how often each token of `completion` counts in the preference term."""
    weights = read_tokens(completion, tokens).astype(np.float32)
    return weights + completion.middle if tokens is Tokens.FOCUSED else weights


def lay_out(pair: TokenPair, reading: Reading) -> Layout:
    """The parts of the pair's row under `reading`."""
    chosen_end = _end(pair.chosen, reading.chosen, imitated=reading.imitated is Side.CHOSEN)
    rejected_end = _end(pair.rejected, reading.rejected, imitated=reading.imitated is Side.REJECTED)
    limit = min(chosen_end, rejected_end)
    differ = np.flatnonzero(pair.chosen.ids[:limit] != pair.rejected.ids[:limit])
    common = int(differ[0]) if differ.size else limit
    return Layout(len(pair.prompt), common, chosen_end, rejected_end)


def pack(pair: TokenPair, reading: Reading) -> PackedRow:
    """The row of `pair` under `reading`: the fewest tokens that give the exact loss."""
    layout = lay_out(pair, reading)
    common, chosen_end, rejected_end = layout.common, layout.chosen_end, layout.rejected_end
    chosen, rejected = pair.chosen.cut(chosen_end), pair.rejected.cut(rejected_end)
    in_chosen = read_tokens(chosen, reading.chosen)
    in_rejected = read_tokens(rejected, reading.rejected)
    of_chosen = in_chosen | (reading.imitated is Side.CHOSEN)
    of_rejected = in_rejected | (reading.imitated is Side.REJECTED)

    weights = {
        "chosen": _over_chosen(token_weights(chosen, reading.chosen), layout),
        "rejected": _over_rejected(token_weights(rejected, reading.rejected), layout),
        "imitated": _imitated(reading, layout),
        "of_chosen": _over_chosen(of_chosen, layout),
        "of_rejected": _over_rejected(of_rejected, layout),
        "of_difference": _over_rejected(of_rejected & rejected.difference, layout),
        "reference_chosen": _over_chosen(chosen.reference, layout),
        "reference_rejected": _over_rejected(rejected.reference, layout),
    }
    needed = np.flatnonzero(weights["of_chosen"] + weights["of_rejected"])
    shared = np.concatenate([pair.prompt, chosen.ids[:common]])[: layout.shared_inputs]
    return PackedRow(
        input_ids=np.concatenate(
            [shared, chosen.ids[common : chosen_end - 1], rejected.ids[common : rejected_end - 1]]
        ),
        position_ids=_positions(layout),
        segments=np.repeat(
            np.array([SHARED, CHOSEN, REJECTED], dtype=np.int8),
            [layout.shared_inputs, layout.chosen_inputs, layout.rejected_inputs],
        ),
        at=_predicted_at(layout)[needed],
        targets=np.concatenate([chosen.ids, rejected.ids[common:]])[needed],
        **{name: values[needed] for name, values in weights.items()},
    )


def _positions(layout: Layout) -> Ids:
    """[L] the position of each input token in its own prompt and completion."""
    first = np.arange(layout.shared_inputs + layout.chosen_inputs, dtype=np.int32)
    branch = np.arange(layout.rejected_inputs, dtype=np.int32) + layout.shared_inputs
    return np.concatenate([first, branch])


def _predicted_at(layout: Layout) -> Ids:
    """[M] where in the row each token is predicted: all of y+, then y- after the common prefix."""
    first = layout.shared_inputs + layout.chosen_inputs
    chosen = np.arange(layout.chosen_end, dtype=np.int32) + (layout.prompt - 1)
    rejected = np.arange(layout.rejected_end - layout.common, dtype=np.int32) + (first - 1)
    rejected[:1] = layout.prompt + layout.common - 1
    return np.concatenate([chosen, rejected])


def _imitated(reading: Reading, layout: Layout) -> Floats:
    """[M] 1 for every token of the imitated side."""
    if reading.imitated is None:
        return np.zeros(layout.chosen_end + layout.rejected_end - layout.common, dtype=np.float32)
    if reading.imitated is Side.CHOSEN:
        return _over_chosen(np.ones(layout.chosen_end), layout)
    return _over_rejected(np.ones(layout.rejected_end), layout)


def _over_chosen(values: NDArray[Any], layout: Layout) -> Floats:
    """[M] `values` of y+ at its own predictions, 0 at those of y- alone."""
    rest = np.zeros(layout.rejected_end - layout.common, dtype=np.float32)
    return np.concatenate([values.astype(np.float32), rest])


def _over_rejected(values: NDArray[Any], layout: Layout) -> Floats:
    """[M] `values` of y- at the shared predictions and its own, 0 at those of y+ alone."""
    values, gap = values.astype(np.float32), layout.chosen_end - layout.common
    rest = np.zeros(gap, dtype=np.float32)
    return np.concatenate([values[: layout.common], rest, values[layout.common :]])


def _end(completion: CompletionTokens, tokens: Tokens, *, imitated: bool) -> int:
    """One more than the last index that is read, 0 where nothing is."""
    if imitated:
        return len(completion.ids)
    read = np.flatnonzero(read_tokens(completion, tokens))
    return int(read[-1]) + 1 if read.size else 0


_NONE = np.zeros(0, dtype=np.float32)
_NO_IDS = np.zeros(0, dtype=np.int32)
NOTHING = PackedRow(
    np.zeros(1, dtype=np.int32),
    np.zeros(1, dtype=np.int32),
    np.full(1, SHARED, dtype=np.int8),
    _NO_IDS,
    _NO_IDS,
    *[_NONE] * 8,
)
"""The shortest row, of which nothing is read."""
