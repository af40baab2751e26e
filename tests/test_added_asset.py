"""The asset that docs/ARCHITECTURE.md adds as an example is one, with nothing else touched."""

import json
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest
from places import ROOT

LOOK = """
import json, sys
from pathlib import Path

import dagster as dg
import polars as pl

from definitions import defs
from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.phases import phases
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.chain import step_of
from iterpref_assets.steps.step import StepContext

settings, store = load_settings(), ArtifactStore(Path(sys.argv[1]))
with store.publishing(Plan(ArtifactKey("codeflow_pairs", "lab-000"), "1")) as staging:
    empty = pl.DataFrame(schema=tables.PAIRS)
    tables.write_table(empty, tables.PAIRS, staging.folder / "pairs.parquet")
context, step = StepContext(settings, store), step_of("pair_counts")
step.publish(context, [step.plan(context, "lab-000")])
made = store.current(ArtifactKey("pair_counts", "lab-000"))
node = defs().resolve_asset_graph().get(dg.AssetKey("pair_counts"))
print(json.dumps({
    "parents": [key.to_user_string() for key in node.parent_keys],
    "group": node.group_name,
    "made_in_a_run": [asset for phase in phases(settings) for asset in phase.assets],
    "count": json.loads(made.path("count.json").read_text()),
}))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a copy of the package with the example's two code blocks says of the asset."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "iterpref_assets", copy / "iterpref_assets")
    for file in ("definitions.py", "pyproject.toml"):
        shutil.copy(ROOT / file, copy)
    page = (ROOT / "docs/ARCHITECTURE.md").read_text()
    step, asset = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (copy / "iterpref_assets/steps/pair_counts.py").write_text(step)
    with (copy / "iterpref_assets/defs/preferences.py").open("a") as module:
        module.write(asset)
    done = subprocess.run(
        [sys.executable, "-c", LOOK, copy / "data"], cwd=copy, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_follows_the_pairs_in_the_graph(seen: dict[str, Any]) -> None:
    assert seen["parents"] == ["codeflow_pairs"]


def test_it_lies_in_the_group_of_its_module(seen: dict[str, Any]) -> None:
    assert seen["group"] == "preferences"


def test_it_comes_after_the_pairs_among_the_runs_of_the_whole_chain(seen: dict[str, Any]) -> None:
    made = seen["made_in_a_run"]
    assert made.index("codeflow_pairs") < made.index("pair_counts")


def test_its_artifact_holds_what_its_step_wrote(seen: dict[str, Any]) -> None:
    assert seen["count"] == {"pairs": 0}
