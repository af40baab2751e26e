"""Problems that ask for what another one asked before: word for word, or nearly so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iterpref_assets.core.decontamination.index import grams
from iterpref_assets.core.lab.problems import SOURCE as LAB
from iterpref_assets.core.records import Problem
from iterpref_assets.core.seeds.exercism import SOURCE as EXERCISM
from iterpref_assets.core.seeds.exercism import exercise_of

if TYPE_CHECKING:
    from datasketch import MinHash

PERMUTATIONS = 128


@dataclass(frozen=True, slots=True)
class Twin:
    """An earlier problem, and how like it a later one is (Jaccard, 1 where they are the same)."""

    problem_id: str
    likeness: float

    @property
    def is_exact(self) -> bool:
        """Whether prompt or reference solution are the same."""
        return self.likeness == 1.0


class DuplicateIndex:
    """The problems seen so far, to tell whether one more is new.

    Exact duplicates have the same prompt, but for case and blanks, or the same reference solution.
    Near-duplicates share most runs of `words` words of their prompts, estimated by MinHash.
    Problems that are known to differ, however alike their texts, are not compared for nearness:
    the lab composes each of its problems from other features, with tests that tell them apart, and
    the properties of one exercism exercise are different functions with the same description.

    Args:
        words: the length of a run.
        threshold: the estimated Jaccard similarity from which on problems are near-duplicates.
    """

    def __init__(self, words: int, threshold: float) -> None:
        from datasketch import MinHashLSH

        self._words, self._threshold = words, threshold
        self._exact: dict[tuple[str, str], str] = {}
        self._near = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
        self._prints: dict[str, MinHash] = {}
        self._families: dict[str, str] = {}

    def add(self, problem: Problem) -> Twin | None:
        """Remember `problem`, unless an earlier one is its twin, which is then returned."""
        name, keys = problem.problem_id, _keys(problem)
        known = next((self._exact[key] for key in keys if key in self._exact), None)
        if known is not None:
            return Twin(known, 1.0)
        if problem.source != LAB:
            twin = self._add_print(problem)
            if twin is not None:
                return twin
        self._exact.update(dict.fromkeys(keys, name))
        return None

    def _add_print(self, problem: Problem) -> Twin | None:
        family, name = _family(problem), problem.problem_id
        fingerprint = self._fingerprint(problem.prompt)
        others = [
            Twin(other, fingerprint.jaccard(self._prints[other]))
            for other in map(str, self._near.query(fingerprint))
            if family is None or self._families.get(other) != family
        ]
        near = [twin for twin in others if twin.likeness >= self._threshold]
        if near:
            twin = min(near, key=lambda twin: (-twin.likeness, twin.problem_id))
            # The estimate reaches 1 for texts that differ a little: exact is what `_keys` says.
            return Twin(twin.problem_id, min(twin.likeness, 1 - 1 / PERMUTATIONS))
        self._near.insert(name, fingerprint, check_duplication=False)
        self._prints[name] = fingerprint
        if family is not None:
            self._families[name] = family
        return None

    def _fingerprint(self, prompt: str) -> MinHash:
        from datasketch import MinHash

        runs = sorted(set(grams(prompt, self._words))) or [prompt.casefold()]
        fingerprint = MinHash(num_perm=PERMUTATIONS)
        fingerprint.update_batch([run.encode() for run in runs])
        return fingerprint


def _keys(problem: Problem) -> Sequence[tuple[str, str]]:
    keys = [("prompt", " ".join(problem.prompt.casefold().split()))]
    if problem.reference.strip():
        keys.append(("reference", problem.reference.strip()))
    return keys


def _family(problem: Problem) -> str | None:
    """What unites problems that are known to differ."""
    return exercise_of(problem.problem_id) if problem.source == EXERCISM else None
