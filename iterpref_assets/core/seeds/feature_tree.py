"""EpiCoder's feature tree, and drawing subtrees of it by frequency."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import TypeAdapter, ValidationError

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes
from iterpref_assets.core.json_lines import parse_json

Tree: TypeAlias = "dict[str, Tree] | list[str]"
"""Features below features; a list holds leaves."""

_TREE: TypeAdapter[Any] = TypeAdapter(dict[str, Any])
_FREQUENCIES: TypeAdapter[dict[str, dict[str, Any]]] = TypeAdapter(dict[str, dict[str, Any]])
_JOINT = "---"


@dataclass(frozen=True, slots=True)
class FeatureTree:
    """A tree, and how often each feature of it was seen, by its path from the root.

    A feature that was not counted, or never seen, weighs as if it had been seen once.
    """

    tree: Tree
    frequencies: Mapping[str, float]

    def draw(self, rng: random.Random, shape: Sequence[int], temperature: float) -> Tree:
        """A subtree: at depth i at most `shape[i]` children of each node, and none below.

        Children are drawn without replacement, with probability proportional to their frequency
        to the power of 1 / temperature (EpiCoder, algorithm 1).
        """
        return self._draw(self.tree, "", rng, shape, 1 / temperature)

    def _draw(
        self, node: Tree, path: str, rng: random.Random, shape: Sequence[int], power: float
    ) -> Tree:
        if not shape:
            return []
        left = list(node)
        chosen: list[str] = []
        while left and len(chosen) < shape[0]:
            weights = [self._weight(f"{path}{name}") ** power for name in left]
            name = rng.choices(left, weights)[0]
            chosen.append(name)
            left.remove(name)
        if isinstance(node, list):
            return chosen
        return {
            name: self._draw(node[name], f"{path}{name}{_JOINT}", rng, shape[1:], power)
            for name in chosen
        }

    def _weight(self, path: str) -> float:
        return max(self.frequencies.get(path, 1.0), 1.0)


def read_feature_tree(tree: Path, frequencies: Path | None) -> FeatureTree:
    """A tree and its counts, as EpiCoder publishes them.

    Args:
        tree: JSON objects of objects, with lists of leaves; an empty list is a leaf's own.
        frequencies: JSON of {path: {"frequency": count}}, paths joined by `---`.

    Raises:
        InputError: where a file is missing or holds something else.
    """
    counts = _read(frequencies, _FREQUENCIES) if frequencies else {}
    try:
        found = {path: float(count["frequency"]) for path, count in counts.items()}
    except (KeyError, TypeError, ValueError):
        raise InputError(
            "a feature without a count", file=frequencies, remedy="Give EpiCoder's frequencies"
        ) from None
    return FeatureTree(_checked(_read(tree, _TREE), tree), found)


def _read(path: Path, adapter: TypeAdapter[Any]) -> Any:
    content = read_bytes(path, "Give EpiCoder's JSON")
    try:
        return adapter.validate_python(parse_json(content))
    except (ValueError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(reason, file=path, remedy="Give EpiCoder's JSON") from None


def _checked(node: Any, file: Path) -> Tree:
    if isinstance(node, dict):
        return {str(name): _checked(child, file) for name, child in node.items()}
    if isinstance(node, list) and all(isinstance(leaf, str) for leaf in node):
        return list(dict.fromkeys(node))
    raise InputError(
        f"neither an object nor a list of names: {str(node)[:40]}",
        file=file,
        remedy="Give EpiCoder's feature tree",
    )


def leaves(tree: Tree, path: str = "") -> tuple[str, ...]:
    """The paths of a subtree's leaves, their parts joined by a slash."""
    if isinstance(tree, list):
        return tuple(f"{path}{leaf}" for leaf in tree) or ((path[:-1],) if path else ())
    return tuple(leaf for name, child in tree.items() for leaf in leaves(child, f"{path}{name}/"))
