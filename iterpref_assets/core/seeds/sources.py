"""Every kind of seed source, told apart by `kind`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from iterpref_assets.core.seeds.exercism import ExercismSeeds
from iterpref_assets.core.seeds.files import FileSeeds
from iterpref_assets.core.seeds.hub import HubSeeds
from iterpref_assets.core.seeds.lab import LabSeeds
from iterpref_assets.core.seeds.mbpp import MbppSeeds
from iterpref_assets.core.seeds.mixed import MixedSeeds
from iterpref_assets.core.seeds.synthetic import FeatureTreeSeeds
from iterpref_assets.core.seeds.table import TableSeeds

SeedSource = Annotated[
    LabSeeds
    | FileSeeds
    | ExercismSeeds
    | MbppSeeds
    | TableSeeds
    | HubSeeds
    | MixedSeeds
    | FeatureTreeSeeds,
    Field(discriminator="kind"),
]
