"""Programs as points of the feature tree: their neighbours, their split, how they are drawn."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from iterpref_assets.core.lab.dicts import ENTRIES
from iterpref_assets.core.lab.features import Expression, Guard, Loop, Reduction, Walk
from iterpref_assets.core.lab.walks import CHARACTERS, DIGITS, NUMBERS, RANGE, WORDS

WALKS: tuple[Walk, ...] = (NUMBERS, CHARACTERS, WORDS, DIGITS, RANGE, ENTRIES)

UNMAPPED = "unmapped"
"""Stands for the mapping in the features of a program that has none."""

WALK_WEIGHTS = (3, 2, 2, 2, 1, 3)
"""How often each walk is drawn."""


class Pool(StrEnum):
    """What a combination of features is set aside for; the pools are disjoint."""

    PRETRAINING = "pretraining"
    TRAIN = "train"
    HELDOUT = "heldout"


@dataclass(frozen=True, slots=True)
class Program:
    """One combination of features."""

    walk: Walk
    guard: Guard
    loop: Loop
    predicate: Expression
    mapping: Expression | None
    reduction: Reduction

    @property
    def features(self) -> tuple[str, ...]:
        """The path through the feature tree, most general first."""
        mapping = UNMAPPED if self.mapping is None else self.mapping.name
        return (
            self.walk.kind.value, self.walk.name, self.loop.name, self.predicate.name, mapping,
            self.reduction.name, self.guard.name,
        )  # fmt: skip

    @property
    def digest(self) -> str:
        """A name made of the features alone (64 bits as hex)."""
        return hashlib.sha256("|".join(self.features).encode()).hexdigest()[:16]

    @property
    def pool(self) -> Pool:
        """What this combination is set aside for: half for pretraining, 10% held out."""
        share = int(self.digest[:4], 16) % 10
        if share == 0:
            return Pool.HELDOUT
        return Pool.TRAIN if share <= 4 else Pool.PRETRAINING  # noqa: PLR2004

    @property
    def consistent(self) -> bool:
        """Whether each feature matters beside the others, as far as is known without running."""
        if self.loop.sense > self.reduction.sense:
            return False
        if self.reduction.mapped != (self.mapping is not None):
            return False
        return not (self.mapping and self.mapping.unsigned and self.predicate.unsigned)


def draw_program(rng: random.Random) -> Program:
    """A random consistent combination, the walk first."""
    walk = rng.choices(WALKS, WALK_WEIGHTS)[0]
    while True:
        reduction = rng.choice(walk.reductions)
        program = Program(
            walk=walk,
            guard=rng.choice(walk.guards),
            loop=rng.choice(walk.loops),
            predicate=rng.choice(walk.predicates),
            mapping=rng.choice(walk.mappings) if reduction.mapped else None,
            reduction=reduction,
        )
        if program.consistent:
            return program


def siblings(program: Program) -> Iterator[Program]:
    """Every consistent combination that differs from `program` in exactly one feature.

    A change between a mapped and an unmapped reduction takes the mapping away or puts the first
    one, which changes nothing, in its place.
    """
    walk = program.walk
    for reduction in walk.reductions:
        mapping = (program.mapping or walk.mappings[0]) if reduction.mapped else None
        yield from _other(program, replace(program, reduction=reduction, mapping=mapping))
    for guard in walk.guards:
        yield from _other(program, replace(program, guard=guard))
    for loop in walk.loops:
        yield from _other(program, replace(program, loop=loop))
    for predicate in walk.predicates:
        yield from _other(program, replace(program, predicate=predicate))
    if program.mapping is not None:
        for mapping in walk.mappings:
            yield from _other(program, replace(program, mapping=mapping))


def _other(program: Program, candidate: Program) -> Iterator[Program]:
    if candidate.consistent and candidate != program:
        yield candidate
