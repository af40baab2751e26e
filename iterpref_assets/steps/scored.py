"""Which variants have scores that still stand: made of what is newest of its kind."""

from __future__ import annotations

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.steps.partitions import ModelVariant
from iterpref_assets.steps.step import Parent, Step, StepContext


def that_still_stand(scores: Step) -> Parent:
    """The scores of a base model that a report or leaderboard shows."""

    def select(context: StepContext, base_model: str) -> list[str]:
        return [each.key for each in scored_variants(context.store, base_model, scores.asset)]

    return Parent(scores, select)


def scored_variants(store: ArtifactStore, base_model: str, asset: str) -> list[ModelVariant]:
    """The variants whose present model has scores of `asset`, the reference model first."""
    found = map(ModelVariant.parse, store.partitions(asset))
    standing = (
        each
        for each in found
        if each.base_model == base_model and is_current(store, ArtifactKey(asset, each.key))
    )
    return sorted(standing, key=lambda each: (not each.is_reference, each.variant))


def is_current(store: ArtifactStore, key: ArtifactKey) -> bool:
    """Whether there is such an artifact, and all it was made of is still the newest of its kind."""
    artifact = store.find(key)
    if artifact is None:
        return False
    upstream = artifact.manifest.upstream
    found = {name: store.find(ArtifactKey.parse(name)) for name in upstream}
    return all(
        parent is not None and parent.manifest.content_hash == upstream[name]
        for name, parent in found.items()
    )
