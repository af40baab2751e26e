"""From a pair's name to everything that is on record about it, through published artifacts."""

from __future__ import annotations

from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.provenance import (
    PairFiles,
    PairProvenance,
    TracedArtifact,
    holds_pair,
    trace_pair,
)
from iterpref_assets.steps.generator import COMPLETIONS_FILE
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.pairs import JUDGEMENTS_FILE, PAIRS_FILE
from iterpref_assets.steps.trajectories import VERSIONS_FILE


def find_pair(store: ArtifactStore, pair_id: str) -> PairProvenance:
    """Where a pair of any shard comes from, in the versions of artifacts it was made of.

    Raises:
        InputError: where no shard has it, or what it was made of is no longer there.
    """
    for shard in store.partitions("codeflow_pairs"):
        artifact = store.current(ArtifactKey("codeflow_pairs", shard))
        if holds_pair(artifact.path(PAIRS_FILE), pair_id):
            made_of = lineage(store, artifact)
            traced = trace_pair(pair_id, _files(made_of, shard))
            return traced.model_copy(update={"artifacts": tuple(map(_traced, made_of.values()))})
    raise InputError(
        f"no pair {pair_id!r} in any shard",
        file=store.root,
        remedy="Give a pair_id of codeflow_pairs; a dropped pair has one too",
    )


def lineage(store: ArtifactStore, artifact: Artifact) -> dict[ArtifactKey, Artifact]:
    """The artifact and all it was made of, each in the version that was used, nearest first.

    Raises:
        InputError: where a version is no longer there.
    """
    found = {artifact.key: artifact}
    waiting = [artifact]
    while waiting:
        for name, content_hash in waiting.pop(0).manifest.upstream.items():
            if (key := ArtifactKey.parse(name)) not in found:
                found[key] = store.version(key, content_hash)
                waiting.append(found[key])
    return found


def _files(made_of: dict[ArtifactKey, Artifact], shard: str) -> PairFiles:
    pairs = made_of[ArtifactKey("codeflow_pairs", shard)]
    debugged = made_of[ArtifactKey("debug_trajectories", shard)]
    sampled = made_of[ArtifactKey("initial_samples", shard)]
    written = made_of.get(ArtifactKey("synthetic_tasks", shard))
    judgements = pairs.path(JUDGEMENTS_FILE)
    return PairFiles(
        pairs=pairs.path(PAIRS_FILE),
        judgements=judgements if judgements.is_file() else None,
        problems=made_of[ArtifactKey("seed_problems", shard)].path(PROBLEMS_FILE),
        versions=debugged.path(VERSIONS_FILE),
        completions=[sampled.path(COMPLETIONS_FILE), debugged.path(COMPLETIONS_FILE)],
        prompts=debugged.manifest.config["prompts"],
        written=written.path(COMPLETIONS_FILE) if written else None,
        template_versions=written.manifest.config["templates"] if written else None,
    )


def _traced(artifact: Artifact) -> TracedArtifact:
    manifest = artifact.manifest
    return TracedArtifact(
        name=str(artifact.key),
        content_hash=manifest.content_hash,
        code_version=manifest.code_version,
        folder=str(artifact.folder),
        config=manifest.config,
    )
