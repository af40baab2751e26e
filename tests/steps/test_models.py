"""Base models from the hub, read from a cache laid out as the hub's own client leaves it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PUBLISH = """
import sys
from pathlib import Path
from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.settings import Settings
from iterpref_assets.steps.models import BASE_MODELS
from iterpref_assets.steps.step import StepContext

settings = Settings(
    root=Path(sys.argv[1]),
    base_models={"tiny": {"source": "hub", "repository": "org/tiny", "revision": sys.argv[2]}},
)
context = StepContext(settings, ArtifactStore(settings.root))
plan = BASE_MODELS.plan(context, "tiny")
try:
    BASE_MODELS.publish(context, [plan])
except InputError as error:
    sys.exit(str(error))
print(context.store.current(plan.key).folder)
"""


@pytest.fixture
def hub_cache(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    repository = tmp_path / "hub" / "models--org--tiny"
    shutil.copytree(tiny_checkpoint, repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    return tmp_path / "hub"


def publish(cache: Path, root: Path, revision: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the hub's client reads its variables when it is imported."""
    return subprocess.run(
        [sys.executable, "-c", PUBLISH, str(root), revision],
        env=os.environ | {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("revision", ["main", COMMIT])
def test_a_hub_model_is_recorded_with_the_commit_it_was_resolved_to(
    hub_cache: Path, tmp_path: Path, revision: str
) -> None:
    done = publish(hub_cache, tmp_path / "root", revision)
    assert done.returncode == 0, done.stderr
    model = json.loads((Path(done.stdout.strip()) / "model.json").read_text())
    assert (model["revision"], model["commit"]) == (revision, COMMIT)
    assert "model.safetensors" in model["files"]


def test_a_hub_model_that_cannot_be_fetched_is_one_clear_message(
    hub_cache: Path, tmp_path: Path
) -> None:
    done = publish(hub_cache, tmp_path / "root", "v2")
    assert done.returncode == 1
    assert "org/tiny" in done.stderr
    assert "Traceback" not in done.stderr
