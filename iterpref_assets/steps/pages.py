"""The pages of artifacts: what each is made of, and where it lies beside them.

A page is no part of its artifact: it lies under `pages/` of the store's root, one for each
partition, of the newest version. So it enters no content hash, and can be written anew whenever
how pages look changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.sample_scoring import RESULTS
from iterpref_assets.core.pages.answers import REMEDY, read_answers
from iterpref_assets.core.pages.evaluations import (
    ShownModel,
    write_comparison_page,
    write_evaluation_page,
)
from iterpref_assets.core.pages.pairs import write_pairs_page
from iterpref_assets.core.pages.trajectories import write_trajectories_page
from iterpref_assets.core.training.recipes import REFERENCE
from iterpref_assets.steps.benchmarks import (
    PROMPTS_FILE,
    SCORE_ASSETS,
    SCORES_FILE,
    tasks_key,
)
from iterpref_assets.steps.by_problem import problems_of_shards
from iterpref_assets.steps.evaluations import GREEDY_FILE, HELDOUT_SCORES
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS, PROBLEMS_FILE
from iterpref_assets.steps.pairs import CODEFLOW_PAIRS, PAIRS_FILE, PREFERENCE_PAIRS
from iterpref_assets.steps.partitions import ModelVariant
from iterpref_assets.steps.scored import is_current
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS
from iterpref_assets.steps.trajectories import DEBUG_TRAJECTORIES, VERSIONS_FILE

PAGES = "pages"
_BENCHMARK_OF = {asked.asset: asked.benchmark for asked in SCORE_ASSETS}


def page_beside(store: ArtifactStore, artifact: Artifact) -> Path | None:
    """Write the page of an artifact and return where it lies; None where its asset has none."""
    key = artifact.key
    out = store.root / PAGES / key.asset / f"{key.partition}.html"
    if key.asset == DEBUG_TRAJECTORIES.asset:
        seeds = _seed_files(store, [key.partition])
        title = f"Debugging trajectories: {key.partition}"
        write_trajectories_page([artifact.path(VERSIONS_FILE)], seeds, out, title)
    elif key.asset in (CODEFLOW_PAIRS.asset, PREFERENCE_PAIRS.asset):
        title = f"Preference pairs: {key.partition}"
        _write_pairs_page(store, [artifact.path(PAIRS_FILE)], _shards_of(artifact), out, title)
    elif scores_key(str(key)):
        _write_scores_page(store, key, out)
    else:
        return None
    return out


def write_all_trajectories(store: ArtifactStore, out: Path) -> int:
    """Write one page of every shard's trajectories; how many there are."""
    versions = _files(store, _all(store, DEBUG_TRAJECTORIES.asset), VERSIONS_FILE)
    seeds = _seed_files(store, store.partitions(SEED_PROBLEMS.asset))
    return write_trajectories_page(versions, seeds, out, "Debugging trajectories")


def write_all_pairs(store: ArtifactStore, out: Path) -> int:
    """Write one page of every shard's pairs, dropped ones included; how many there are."""
    keys = _all(store, CODEFLOW_PAIRS.asset)
    shards = [key.partition for key in keys]
    pairs = _files(store, keys, PAIRS_FILE)
    return _write_pairs_page(store, pairs, shards, out, "Preference pairs")


def scores_key(name: str) -> ArtifactKey | None:
    """The key that ASSET/BASE_MODEL/VARIANT names; None where there is no such asset of scores."""
    asset, _, partition = name.partition("/")
    known = asset == HELDOUT_SCORES.asset or asset in _BENCHMARK_OF
    return ArtifactKey(asset, partition) if known and partition else None


def shown_model(store: ArtifactStore, key: ArtifactKey) -> ShownModel:
    """The judged answers of a score asset's partition, by the variant's name.

    Raises:
        InputError: where there is no such artifact.
    """
    file = GREEDY_FILE if key.asset == HELDOUT_SCORES.asset else SCORES_FILE
    answers = read_answers(store.current(key).path(file))
    return ShownModel(ModelVariant.parse(key.partition).variant, answers)


def prompts_of(store: ArtifactStore, asset: str) -> Mapping[str, str]:
    """What the tasks of a score asset ask, by task_id."""
    if asset == HELDOUT_SCORES.asset:
        files = _files(store, [ArtifactKey(HELDOUT_PROBLEMS.asset)], PROBLEMS_FILE)
        frames = [tables.read_table(file, tables.PROBLEMS) for file in files]
        rows = pl.concat(frames).select("problem_id", "prompt").iter_rows() if frames else ()
        return dict(rows)
    found = store.find(tasks_key(_BENCHMARK_OF[asset]))
    file = found and found.path(PROMPTS_FILE)
    return json.loads(file.read_text(encoding="utf-8")) if file and file.is_file() else {}


def named_answers(name: str, store: Callable[[], ArtifactStore]) -> ShownModel:
    """The judged answers that a command names, by a name that tells them from others.

    Args:
        name: a folder that `iterpref evaluate` wrote, its results.jsonl, a table of scores
            (.parquet), or ASSET/BASE_MODEL/VARIANT.
        store: opens the store, where an artifact is named.

    Raises:
        InputError: where there is nothing of that name.
    """
    path = Path(name)
    if path.is_dir():
        return ShownModel(path.resolve().name, read_answers(path / RESULTS))
    if path.is_file():
        shown = path.resolve().parent.name if path.name == RESULTS else path.stem
        return ShownModel(shown, read_answers(path))
    if key := scores_key(name):
        return shown_model(store(), key)
    raise InputError("no such file", file=path, remedy=REMEDY)


def named_prompts(name: str, store: Callable[[], ArtifactStore]) -> Mapping[str, str]:
    """What the tasks of `named_answers` ask, where an artifact is named; otherwise nothing."""
    if Path(name).exists() or not (key := scores_key(name)):
        return {}
    return prompts_of(store(), key.asset)


def _write_pairs_page(
    store: ArtifactStore, pairs: Sequence[Path], shards: Sequence[str], out: Path, title: str
) -> int:
    """The page of the shards' pairs, and of their problems that are in none."""
    by_problem = problems_of_shards(store, shards, pairs)
    return write_pairs_page(pairs, _seed_files(store, shards), out, title, by_problem)


def _write_scores_page(store: ArtifactStore, key: ArtifactKey, out: Path) -> None:
    """The page of one variant's answers; a recipe's beside the reference model's that stand."""
    prompts, model = prompts_of(store, key.asset), ModelVariant.parse(key.partition)
    reference = ArtifactKey(key.asset, ModelVariant(model.base_model, REFERENCE).key)
    title = f"{key.asset}: {model.base_model}, {model.variant}"
    if model.is_reference or not is_current(store, reference):
        write_evaluation_page(shown_model(store, key), prompts, out, title)
        return
    first, second = shown_model(store, reference), shown_model(store, key)
    write_comparison_page(first, second, prompts, out, f"{title} beside {REFERENCE}")


def _all(store: ArtifactStore, asset: str) -> list[ArtifactKey]:
    """Every partition of an asset.

    Raises:
        InputError: where there is none.
    """
    found = [ArtifactKey(asset, name) for name in store.partitions(asset)]
    if not found:
        raise InputError(
            f"{asset} has not been materialized",
            file=store.root,
            remedy="Give tables (`iterpref pages --help` tells how), or materialize it first",
        )
    return found


def _shards_of(pairs: Artifact) -> list[str]:
    """The shards whose pairs these are."""
    if pairs.key.asset == CODEFLOW_PAIRS.asset:
        return [pairs.key.partition]
    made_of = map(ArtifactKey.parse, pairs.manifest.upstream)
    return [key.partition for key in made_of if key.asset == CODEFLOW_PAIRS.asset]


def _seed_files(store: ArtifactStore, shards: Sequence[str]) -> list[Path]:
    keys = [ArtifactKey(SEED_PROBLEMS.asset, shard) for shard in shards]
    return _files(store, keys, PROBLEMS_FILE)


def _files(store: ArtifactStore, keys: Sequence[ArtifactKey], name: str) -> list[Path]:
    """A file of those of the artifacts that there are."""
    return [found.path(name) for key in keys if (found := store.find(key))]
