"""Feature-tree synthesis as a seed source: what is drawn, and what the generator is asked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.randomness import derive_rng
from iterpref_assets.core.records import Problem, Record, Split
from iterpref_assets.core.sampling import GenerationConfig
from iterpref_assets.core.seeds.feature_tree import leaves, read_feature_tree
from iterpref_assets.core.seeds.problem_file import read_problem_file
from iterpref_assets.core.seeds.reading import file_digest

SOURCE = "feature_tree"


@dataclass(frozen=True, slots=True)
class Draw:
    """A subtree to write a task about; `features` is its JSON, `paths` its leaves."""

    name: str
    features: str
    paths: tuple[str, ...]


class FeatureTreeSeeds(Record):
    """Tasks that the generator writes about subtrees of programming features, with their tests."""

    kind: Literal["feature_tree"] = Field("feature_tree", description="Which kind of seeds")
    tree: Path = Field(description="The feature tree, as EpiCoder publishes it (JSON)")
    frequencies: Path | None = Field(
        None, description="How often features were seen (JSON); unset, all weigh the same"
    )
    parts: int = Field(default=1, ge=1, le=1000, description="How many shards there are")
    tasks_per_shard: int = Field(default=200, ge=1, description="Subtrees drawn for each shard")
    shape: tuple[int, ...] = Field(
        default=(5, 2, 1, 1),
        min_length=1,
        description="The most children of a node of a subtree, by depth",
    )
    temperature: float = Field(
        default=1.0,
        gt=0,
        description="Above 1, rare features are drawn more often than they were seen",
    )
    seed: int = Field(0, description="Draws the subtrees")
    generation: GenerationConfig = Field(
        GenerationConfig.model_validate({"max_tokens": 2048}),
        description="How the generator writes tasks and programs",
    )
    heldout: Path = Field(description="The file of held-out problems, one problem a line")

    def shards(self) -> tuple[str, ...]:
        """The names of the training shards."""
        return tuple(f"tree-{index:03d}" for index in range(self.parts))

    def shard_identity(self, shard: str) -> dict[str, JsonValue]:
        """What the tasks of one shard depend on besides the generator."""
        return {
            "kind": self.kind,
            "shard": shard,
            "tree": file_digest(self.tree),
            "frequencies": file_digest(self.frequencies) if self.frequencies else None,
            **self.model_dump(
                mode="json", include={"tasks_per_shard", "shape", "temperature", "seed"}
            ),
        }

    def heldout_identity(self) -> dict[str, JsonValue]:
        """What the held-out problems depend on: the file's content."""
        return {"kind": self.kind, "sha256": file_digest(self.heldout)}

    def load_heldout(self) -> list[Problem]:
        """The held-out problems."""
        return read_problem_file(self.heldout, Split.HELDOUT)

    def draws(self, shard: str) -> list[Draw]:
        """The subtrees of one shard; each depends on its number alone.

        Raises:
            InputError: where there is no such shard, or a file cannot be read.
        """
        if shard not in self.shards():
            raise InputError(
                f"no shard {shard!r}", field="seeds.parts", remedy=f"Use {self.shards()}"
            )
        tree = read_feature_tree(self.tree, self.frequencies)
        draws: list[Draw] = []
        for number in range(self.tasks_per_shard):
            rng = derive_rng("subtree", self.seed, shard, number)
            subtree = tree.draw(rng, self.shape, self.temperature)
            features = json.dumps(subtree, indent=2, ensure_ascii=False)
            draws.append(Draw(f"{shard}/{number:05d}", features, leaves(subtree)))
        return draws
