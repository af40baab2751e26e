"""What is compared: each arm is a recipe with its options on one set of pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.config import Difference, Negatives, PairConfig
from iterpref_assets.core.records import Record
from iterpref_assets.core.training.config import ImitationMean, TrainConfig
from iterpref_assets.core.training.recipes import RECIPE_NAMES, REFERENCE, recipe_named


class PairSet(StrEnum):
    """Which pairs are trained on; each set differs in one thing from the method's.

    In how its pairs are made, or in what they are made of.
    """

    RANDOM = "random"
    """The method's: y- drawn at random, difference by line LCS."""
    FIRST = "first"
    LAST = "last"
    NEAREST = "nearest"
    """Every passing program beside the failing one of its problem that is most like it."""
    PREFIX_SUFFIX = "prefix_suffix"
    TOKENS = "tokens"
    """Difference by the model's tokens."""
    FORKS = "forks"
    """Difference by the first of each run of the model's tokens."""
    NODES = "nodes"
    """Difference by syntax-tree nodes."""
    HALF = "half"
    """The method's, of every other shard of the problems."""
    SAMPLED = "sampled"
    """No debugging: independent samples, for as many LLM calls as the trajectories took."""

    def config(self, pairs: PairConfig) -> PairConfig:
        """`pairs` with what this set changes."""
        changes: Mapping[str, Negatives | Difference] = {
            PairSet.RANDOM: {},
            PairSet.FIRST: {"negatives": Negatives.FIRST},
            PairSet.LAST: {"negatives": Negatives.LAST},
            PairSet.NEAREST: {"negatives": Negatives.NEAREST},
            PairSet.PREFIX_SUFFIX: {"difference": Difference.PREFIX_SUFFIX},
            PairSet.TOKENS: {"difference": Difference.TOKENS},
            PairSet.FORKS: {"difference": Difference.FORKS},
            PairSet.NODES: {"difference": Difference.NODES},
            PairSet.HALF: {},
            PairSet.SAMPLED: {"negatives": Negatives.PASS_RATE},
        }[self]
        method = {"negatives": Negatives.RANDOM, "difference": Difference.LCS}
        return PairConfig.model_validate({**pairs.model_dump(), **method, **changes})


class Arm(Record):
    """One thing that is trained and compared, whatever its learning rate and seed.

    Attributes:
        name: what tables and partitions call it.
        recipe: the training recipe.
        pairs: what it is trained on.
        beta, alpha, imitation_mean: as in TrainConfig.
        after: the arm whose model this one goes on from, on pairs of that model's own; None where
            it goes on from the base model.
        epochs_factor: its epochs, as a multiple of the settings'.
    """

    name: str
    recipe: str
    pairs: PairSet = PairSet.RANDOM
    beta: float | None = None
    alpha: float | None = None
    imitation_mean: ImitationMean = ImitationMean.TOKENS
    after: str | None = None
    epochs_factor: int = 1

    @property
    def pairs_name(self) -> str:
        """What tables call its pairs: those of a second round are like no other arm's."""
        return self.name if self.after else self.pairs.value

    def training(self, config: TrainConfig, *, rate: float, seed: int) -> TrainConfig:
        """`config` as this arm is trained at `rate` with `seed`."""
        changes = {
            "learning_rate": rate,
            "seed": seed,
            "beta": self.beta,
            "alpha": self.alpha,
            "imitation_mean": self.imitation_mean,
            "epochs": config.epochs * self.epochs_factor,
        }
        return TrainConfig.model_validate({**config.model_dump(), **changes})


_BETAS = (0.3, 0.5)
_ALPHAS = (3.0, 5.0)
_BY_FOCUS = ("dpo", "focal_dpo")
_FOCAL = ("focal_dpo", "focal_rpo")
_TWO_ROUNDS = (
    *(Arm(name=recipe, recipe=recipe) for recipe in ("sft", *_FOCAL)),
    Arm(name="focal_rpo-by_sums", recipe="focal_rpo", imitation_mean=ImitationMean.SUMS),
)
"""What a second round is tried of: SFT tells what its pairs' y+ alone would have given."""

ARMS: tuple[Arm, ...] = (
    *(Arm(name=name, recipe=name) for name in RECIPE_NAMES),
    *(
        Arm(name=f"{recipe}-beta{beta:g}", recipe=recipe, beta=beta)
        for recipe in _BY_FOCUS
        for beta in _BETAS
    ),
    *(Arm(name=f"focal_rpo-alpha{alpha:g}", recipe="focal_rpo", alpha=alpha) for alpha in _ALPHAS),
    Arm(name="focal_rpo-by_pairs", recipe="focal_rpo", imitation_mean=ImitationMean.PAIRS),
    *(
        Arm(name=f"{recipe}-by_sums", recipe=recipe, imitation_mean=ImitationMean.SUMS)
        for recipe in ("rpo", "focal_rpo")
    ),
    *(
        Arm(
            name=f"focal_rpo-by_sums-beta{beta:g}",
            recipe="focal_rpo",
            beta=beta,
            imitation_mean=ImitationMean.SUMS,
        )
        for beta in (0.5, 2.0)
    ),
    Arm(
        name="focal_rpo-forks-by_sums",
        recipe="focal_rpo",
        pairs=PairSet.FORKS,
        imitation_mean=ImitationMean.SUMS,
    ),
    *(
        Arm(name=f"{recipe}-{pairs.value}", recipe=recipe, pairs=pairs)
        for pairs in PairSet
        if pairs is not PairSet.RANDOM
        for recipe in _FOCAL
    ),
    Arm(name="sft-half", recipe="sft", pairs=PairSet.HALF),
    *(
        Arm(name=f"focal_ul-{pairs.value}", recipe="focal_ul", pairs=pairs)
        for pairs in (PairSet.TOKENS, PairSet.FORKS)
    ),
    *(
        arm.model_copy(update={"name": f"{arm.name}-second", "after": arm.name})
        for arm in _TWO_ROUNDS
    ),
    *(
        arm.model_copy(update={"name": f"{arm.name}-twice", "epochs_factor": 2})
        for arm in _TWO_ROUNDS
    ),
)
"""Every arm. An alpha without end is `sft`. `-twice` has as many epochs on the first round's pairs
as `-second` has on those of both rounds."""

SECOND_ROUNDS = tuple(arm for arm in ARMS if arm.after)
"""The arms that go on from another arm's model."""

QUICK = ("sft", "dpo", "rpo", "focal_dpo", "focal_rpo")
"""The arms that the paper's headline compares, beside the reference."""


def arm_named(name: str) -> Arm:
    """The arm called `name`.

    Raises:
        InputError: where there is none.
    """
    for arm in ARMS:
        if arm.name == name:
            return arm
    raise InputError(
        f"unknown arm {name!r}",
        field="arm",
        remedy=f"Choose some of: {', '.join(arm.name for arm in ARMS)}",
    )


class Cell(Record):
    """One model of the grid: the reference, or an arm trained at one rate with one seed."""

    arm: str
    rate: float | None = None
    seed: int | None = None

    @property
    def key(self) -> str:
        """The name of its partition, such as `focal_rpo@3e-05@1`."""
        return REFERENCE if self.rate is None else f"{self.arm}@{self.rate:g}@{self.seed}"

    @classmethod
    def parse(cls, key: str) -> Cell:
        """The cell of a partition.

        Raises:
            InputError: where it names none.
        """
        if key == REFERENCE:
            return cls(arm=REFERENCE)
        try:
            name, rate, seed = key.split("@")
            return cls(arm=arm_named(name).name, rate=float(rate), seed=int(seed))
        except ValueError:
            raise InputError(
                f"{key!r} is no cell of the grid",
                field="partition",
                remedy="Write it ARM@RATE@SEED, as in focal_rpo@3e-05@1, or reference",
            ) from None

    @property
    def is_reference(self) -> bool:
        """Whether it is the base model itself, untrained."""
        return self.rate is None


def cell_keys(arms: Iterable[Arm], rates: tuple[float, ...], seeds: int) -> tuple[str, ...]:
    """Every model that the grid can train of some arms."""
    return tuple(
        Cell(arm=arm.name, rate=rate, seed=seed).key
        for arm in arms
        for rate in rates
        for seed in range(seeds)
    )


def check_strengths() -> None:
    """Refuse an arm whose recipe has no term for one of its strengths.

    Raises:
        InputError: naming it.
    """
    for arm in ARMS:
        recipe_named(arm.recipe, beta=arm.beta, alpha=arm.alpha)
