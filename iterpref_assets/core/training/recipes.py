"""The training recipes, each as what it reads of a pair (docs/METHOD.md, section 2).

This module imports neither torch nor transformers: partitions and command lines read it.
Adding a recipe is one entry in `RECIPES`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from pydantic import JsonValue

from iterpref_assets.core.errors import InputError

PAPER_BETA = 0.1
"""Table 14: 0.1 / 0.3 / 0.5 average 69.7 / 69.1 / 67.5."""
PAPER_ALPHA = 1.0
"""Table 15: 1 / 3 / 5 average 70.5 / 67.9 / 68.7."""


class Side(StrEnum):
    """One of the two completions of a pair."""

    CHOSEN = "chosen"
    REJECTED = "rejected"


class Tokens(StrEnum):
    """Which tokens of a completion enter the preference term."""

    NONE = "none"
    DIFFERENCE = "difference"
    """The tokens of the lines in D+ (chosen) or D- (rejected)."""
    WIDENED = "widened"
    """The difference and 1 or 2 lines around each of its hunks, drawn at random."""
    ALL = "all"
    FOCUSED = "focused"
    """All, and those between what the two completions begin and end with in common twice."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the loss reads of one pair: K(y+) over `chosen`, K(y-) over `rejected`.

    `imitated` is the completion whose negative log-likelihood is added, over all its tokens.
    Unlikelihood is that of the tokens of `rejected`.
    """

    chosen: Tokens = Tokens.NONE
    rejected: Tokens = Tokens.NONE
    imitated: Side | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """A training recipe.

    Attributes:
        name: what users, partitions and manifests call it.
        readings: one reading, or several that the pairs of every batch share evenly.
        beta: the strength of the preference term; None where the recipe has none.
        alpha: the weight of the imitation term; 0 where the recipe has none.
        description: one line for people.
        gamma: the weight of unlikelihood; 0 where the recipe has none.
    """

    name: str
    readings: tuple[Reading, ...]
    beta: float | None
    alpha: float
    description: str
    gamma: float = 0.0

    @property
    def needs_reference(self) -> bool:
        """Whether the loss compares with the reference model."""
        return self.beta is not None

    @property
    def widens(self) -> bool:
        """Whether it reads lines around the difference."""
        read = {each for reading in self.readings for each in (reading.chosen, reading.rejected)}
        return Tokens.WIDENED in read

    def for_result(self) -> dict[str, JsonValue]:
        """What a model trained by it depends on: all but the description."""
        return {
            "name": self.name,
            "readings": [asdict(reading) for reading in self.readings],
            "beta": self.beta,
            "alpha": self.alpha,
            **({"gamma": self.gamma} if self.gamma else {}),
            **({"windows_within": "program"} if self.widens else {}),
        }

    def with_strengths(self, beta: float | None, alpha: float | None) -> Recipe:
        """This recipe at another beta or alpha; None keeps its own.

        Raises:
            InputError: where the recipe has no such term, or the value is not positive.
        """
        if beta is not None:
            self._check_strength("beta", beta, present=self.beta is not None)
        if alpha is not None:
            self._check_strength("alpha", alpha, present=self.alpha > 0)
        return replace(
            self,
            beta=self.beta if beta is None else beta,
            alpha=self.alpha if alpha is None else alpha,
        )

    def _check_strength(self, field: str, value: float, *, present: bool) -> None:
        if not present:
            having = [
                recipe.name
                for recipe in RECIPES
                if (recipe.beta is not None if field == "beta" else recipe.alpha > 0)
            ]
            raise InputError(
                f"recipe {self.name!r} has no term that {field} weighs",
                field=field,
                remedy=f"Leave {field} unset, or choose one of: {', '.join(having)}",
            )
        if value <= 0:
            raise InputError(
                f"{value} is not a positive number",
                field=field,
                remedy=f"Set {field} above 0, or leave it unset for the recipe's own",
            )


_PLAIN = Reading(Tokens.ALL, Tokens.ALL)
_FOCAL = Reading(Tokens.ALL, Tokens.DIFFERENCE)

RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "sft",
        (Reading(imitated=Side.CHOSEN),),
        None,
        1.0,
        "Imitate y+ (Table 2)",
    ),
    Recipe(
        "sft_incorrect",
        (Reading(imitated=Side.REJECTED),),
        None,
        1.0,
        "Imitate y-, an ablation",
    ),
    Recipe("dpo", (_PLAIN,), PAPER_BETA, 0.0, "DPO over every token of both completions"),
    Recipe(
        "rpo",
        (Reading(Tokens.ALL, Tokens.ALL, Side.CHOSEN),),
        PAPER_BETA,
        PAPER_ALPHA,
        "DPO and imitation of y+",
    ),
    Recipe("focal_dpo", (_FOCAL,), PAPER_BETA, 0.0, "Target-DPO: of y- only the tokens of D-"),
    Recipe(
        "focal_rpo",
        (Reading(Tokens.ALL, Tokens.DIFFERENCE, Side.CHOSEN),),
        PAPER_BETA,
        PAPER_ALPHA,
        "Target-RPO: Target-DPO and imitation of y+",
    ),
    Recipe(
        "hybrid",
        (_PLAIN, _FOCAL),
        PAPER_BETA,
        0.0,
        "Half of each batch plain DPO, half Target-DPO",
    ),
    Recipe(
        "diff_augment",
        (Reading(Tokens.ALL, Tokens.WIDENED),),
        PAPER_BETA,
        0.0,
        "Target-DPO with D- widened by 1 or 2 lines on each side",
    ),
    Recipe(
        "symmetric",
        (Reading(Tokens.DIFFERENCE, Tokens.DIFFERENCE),),
        PAPER_BETA,
        0.0,
        "Of y+ only the tokens of D+ as well; the paper reports that it destroys the model",
    ),
    Recipe(
        "focused_dpo",
        (Reading(Tokens.FOCUSED, Tokens.FOCUSED),),
        PAPER_BETA,
        0.0,
        "Focused-DPO (arXiv 2502.11475): tokens between common prefix and suffix count twice",
    ),
    Recipe(
        "focal_ul",
        (Reading(rejected=Tokens.DIFFERENCE, imitated=Side.CHOSEN),),
        None,
        1.0,
        "Imitate y+, and unlikelihood (arXiv 1908.04319) of the tokens of D-",
        gamma=1.0,
    ),
)

RECIPE_NAMES = tuple(recipe.name for recipe in RECIPES)

REFERENCE = "reference"
"""The variant that is the base model itself."""

VARIANTS = (REFERENCE, *RECIPE_NAMES)
"""What can be scored: the base model itself, and what each recipe makes of it."""


def recipe_named(name: str, *, beta: float | None = None, alpha: float | None = None) -> Recipe:
    """The recipe called `name`, at its own beta and alpha unless others are given.

    Raises:
        InputError: where there is no such recipe, or it has no term for the option given.
    """
    for recipe in RECIPES:
        if recipe.name == name:
            return recipe.with_strengths(beta, alpha)
    raise InputError(
        f"unknown recipe {name!r}",
        field="recipe",
        remedy=f"Choose one of: {', '.join(RECIPE_NAMES)}",
    )
