"""How many pairs lose tokens to max_length, which the loss alone would not show."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from iterpref_assets.core.training.packing import TokenPair, lay_out, read_tokens
from iterpref_assets.core.training.recipes import Recipe, Tokens

_FOCAL = frozenset({Tokens.DIFFERENCE, Tokens.WIDENED})

_log = logging.getLogger("iterpref")


@dataclass(frozen=True, slots=True)
class Truncation:
    """Counts of pairs.

    Attributes:
        pairs: all of them.
        cut: those of which tokens are cut off that the recipe reads.
        without_focal: those of which the recipe reads D- and no token of it is left, so that
            their K(y-) is 0 and they teach nothing to avoid.
    """

    pairs: int
    cut: int
    without_focal: int

    @classmethod
    def of(cls, pairs: Sequence[TokenPair], recipe: Recipe, max_length: int) -> Truncation:
        """What cutting the whole `pairs` to `max_length` does to what `recipe` reads."""
        return cls(
            pairs=len(pairs),
            cut=sum(_loses_tokens(pair, recipe, max_length) for pair in pairs),
            without_focal=sum(_has_no_focal(pair.cut(max_length), recipe) for pair in pairs),
        )

    def figures(self) -> dict[str, float]:
        """The counts as figures of a run."""
        return {
            "pairs_cut": float(self.cut),
            "pairs_without_focal_tokens": float(self.without_focal),
        }

    def warn(self, recipe: Recipe, max_length: int) -> None:
        """Log one warning where a pair is cut or without a focal token."""
        if self.cut or self.without_focal:
            _log.warning(
                "max_length %d cuts off tokens that %s reads in %d of %d pairs; "
                "%d pairs have no focal token left, so that their K(y-) is 0",
                *(max_length, recipe.name, self.cut, self.pairs, self.without_focal),
            )


def _loses_tokens(pair: TokenPair, recipe: Recipe, max_length: int) -> bool:
    layouts = [lay_out(pair, reading) for reading in recipe.readings]
    longest = max(max(layout.chosen_end, layout.rejected_end) for layout in layouts)
    return len(pair.prompt) + longest > max_length


def _has_no_focal(pair: TokenPair, recipe: Recipe) -> bool:
    return any(
        reading.rejected in _FOCAL and not read_tokens(pair.rejected, reading.rejected).any()
        for reading in recipe.readings
    )
