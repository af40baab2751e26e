"""The lab chain at its smallest: its settings, its stages, and the artifacts of an undisturbed run.

Programs are generated once, by the lab's model, and replayed in every launch after that: sampling
and debugging then cost what their own work costs. Training and scoring load the model each time.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from faults.plan import GENERATED, GENERATING, SHARDS, STAGES, TINY, Stage, replaying
from iterpref_assets.commands.run import DAGSTER_YAML
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.runner import execute, load_definitions, register_shards, release_dead_runs
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.generator import COMPLETIONS_FILE


def use(root: Path, variables: dict[str, str]) -> None:
    """Make these the settings of this process and its children, with Dagster's home in `root`."""
    for name in [name for name in os.environ if name.startswith("ITERPREF_")]:
        del os.environ[name]
    for name, value in {**TINY, **variables}.items():
        os.environ[f"ITERPREF_{name}"] = value
    os.environ["ITERPREF_ROOT"] = str(root)
    os.environ["DAGSTER_HOME"] = str(root / "dagster")


def launch(definitions: dg.Definitions, asset: str, partitions: Sequence[str]) -> None:
    """Materialize in this process, as `iterpref run` does.

    Raises:
        InputError: with the message of what failed.
    """
    with dg.DagsterInstance.get() as instance:
        register_shards(instance, load_settings())
        release_dead_runs(instance)
        execute(definitions, instance, [asset], partitions)


def prepare(work: Path) -> None:
    """Make the undisturbed artifacts below `work`: recorded completions, then the whole chain."""
    recorded, root = work / "recorded", work / "undisturbed"
    whole = root / "whole"
    if whole.exists():
        return
    if not recorded.is_dir():
        _make(work / "generating", GENERATING, STAGES[:7])
        _record(work / "generating", work / "recording")
        (work / "recording").rename(recorded)
    _make(root, replaying(recorded), STAGES)
    whole.touch()


def _make(root: Path, variables: dict[str, str], stages: Sequence[Stage]) -> None:
    use(root, variables)
    home = root / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(DAGSTER_YAML, home / "dagster.yaml")
    definitions = load_definitions()
    for stage in stages:
        print(stage.asset, flush=True)
        launch(definitions, stage.asset, stage.partitions)


def _record(root: Path, folder: Path) -> None:
    store = ArtifactStore(root)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for asset in GENERATED:
        for shard in SHARDS:
            path = store.current(ArtifactKey(asset, shard)).path(COMPLETIONS_FILE)
            shutil.copy(path, folder / f"{asset}-{shard}.parquet")
