"""A data set of the Hugging Face hub as a seed source, pinned to a revision."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.seeds.columns import ColumnMapping
from iterpref_assets.core.seeds.pooled import PooledSeeds
from iterpref_assets.core.seeds.reading import SeedReading
from iterpref_assets.core.seeds.table import read_mapped


class HubSeeds(PooledSeeds):
    """The rows of one split."""

    kind: Literal["hub"] = Field("hub", description="Which kind of seeds")
    repository: str = Field(
        description="The name of the data set, or a folder laid out like a snapshot of one"
    )
    revision: str = Field(
        pattern=r"^[0-9a-f]{40}$",
        description="The commit it is pinned to, all 40 digits: a branch would change its meaning",
    )
    subset: str | None = Field(None, description="The configuration of a data set that has several")
    split: str = Field("train", description="The split to read")
    label: str = Field(
        pattern=r"^[a-z0-9_-]+$", description="What its shards and problems are named after"
    )
    columns: ColumnMapping = Field(description="Which column holds what")

    @property
    def name(self) -> str:
        """What its shards and problems are named after."""
        return self.label

    def source_identity(self) -> dict[str, JsonValue]:
        """The pinned revision and how it is read; a folder is named by its last part alone."""
        local = Path(self.repository).is_dir()
        return {
            "repository": Path(self.repository).name if local else self.repository,
            **self.model_dump(mode="json", include={"revision", "subset", "split", "columns"}),
        }

    def read(self) -> SeedReading:
        """Every row of the split."""
        place = f"{self.repository}@{self.revision[:12]}"
        return read_mapped(self._rows(place), self.columns, self.name, place)

    def _rows(self, place: str) -> Any:
        try:
            import datasets
        except ModuleNotFoundError:
            raise InputError(
                "the package `datasets` is not installed here",
                field="seeds.kind",
                remedy="Install it, or download the data set and use seeds.kind `table`",
            ) from None
        try:
            return datasets.load_dataset(
                self.repository, name=self.subset, split=self.split, revision=self.revision
            )
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(
                f"cannot be loaded: {reason}",
                file=place,
                remedy="Check repository, revision, subset and split, or the network",
            ) from error
