"""Which variants have scores that still stand: made of what is newest of its kind."""

from __future__ import annotations

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.training.recipes import REFERENCE


def scored_variants(
    store: ArtifactStore, base_model: str, asset: str = "heldout_scores"
) -> list[str]:
    """The variants whose present model has scores of `asset`, the reference model first."""
    names = [name.split("/") for name in store.partitions(asset)]
    variants = {
        variant
        for model, variant in names
        if model == base_model and is_current(store, ArtifactKey(asset, f"{model}/{variant}"))
    }
    return sorted(variants, key=lambda variant: (variant != REFERENCE, variant))


def variant_of(key: ArtifactKey) -> str:
    """The variant of a checkpoint or score, whose partition is base model/variant."""
    return key.partition.split("/")[1]


def is_current(store: ArtifactStore, key: ArtifactKey) -> bool:
    """Whether there is such an artifact, and all it was made of is still the newest of its kind."""
    artifact = store.find(key)
    if artifact is None:
        return False
    upstream = artifact.manifest.upstream
    found = {name: store.find(ArtifactKey(*name.split("/", 1))) for name in upstream}
    return all(
        parent is not None and parent.manifest.content_hash == upstream[name]
        for name, parent in found.items()
    )
