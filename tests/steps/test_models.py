"""Base models as they are recorded, those of the hub from a cache as its own client leaves it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.settings import HubModel, LocalModel, ModelSource, Settings
from iterpref_assets.steps.models import BASE_MODELS, base_model_folder, model_identity
from iterpref_assets.steps.step import StepContext

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
    return tmp_path / "hub"


def publish(cache: Path, root: Path, revision: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the hub's client reads its variables when it is imported."""
    return subprocess.run(
        [sys.executable, "-c", PUBLISH, str(root), revision],
        env=os.environ | {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_hub_model_is_recorded_with_its_commit_and_files(hub_cache: Path, tmp_path: Path) -> None:
    done = publish(hub_cache, tmp_path / "root", COMMIT)
    assert done.returncode == 0, done.stderr
    model = json.loads((Path(done.stdout.strip()) / "model.json").read_text())
    assert (model["repository"], model["revision"]) == ("org/tiny", COMMIT)
    assert "model.safetensors" in model["files"]


def test_a_hub_model_that_cannot_be_fetched_is_one_clear_message(
    hub_cache: Path, tmp_path: Path
) -> None:
    done = publish(hub_cache, tmp_path / "root", "f" * 40)
    assert done.returncode == 1
    assert "org/tiny" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.fixture
def recorded(tiny_checkpoint: Path, tmp_path: Path) -> tuple[ArtifactStore, Path]:
    """A store that records a local base model, and the model's folder."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_checkpoint, folder)
    store = ArtifactStore(tmp_path / "root")
    context = StepContext(settings_of(LocalModel(path=folder)), store)
    BASE_MODELS.publish(context, [BASE_MODELS.plan(context, "tiny")])
    return store, folder


def settings_of(source: ModelSource) -> Settings:
    return Settings(base_models={"tiny": source})


def test_a_recorded_base_model_is_found(recorded: tuple[ArtifactStore, Path]) -> None:
    store, folder = recorded
    assert base_model_folder(settings_of(LocalModel(path=folder)), store, "tiny") == folder


def test_another_base_model_than_the_recorded_one_is_refused(
    recorded: tuple[ArtifactStore, Path],
) -> None:
    store, _ = recorded
    other = settings_of(HubModel(repository="org/tiny", revision=COMMIT))
    with pytest.raises(InputError, match="Materialize base_models"):
        base_model_folder(other, store, "tiny")


def test_a_base_model_whose_files_changed_since_they_were_recorded_is_refused(
    recorded: tuple[ArtifactStore, Path],
) -> None:
    store, folder = recorded
    (folder / "model.safetensors").write_bytes(b"other")
    with pytest.raises(InputError, match="Materialize base_models"):
        base_model_folder(settings_of(LocalModel(path=folder)), store, "tiny")


@pytest.fixture
def model(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """The folder of a local model."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "model"))


def write(file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text("{}")


@pytest.mark.parametrize(
    "name", ["README.md", "LICENSE", ".gitattributes", ".cache/x.json", "parts.json/x"]
)
def test_what_lies_beside_a_local_model_is_no_part_of_it(model: Path, name: str) -> None:
    before = model_identity(LocalModel(path=model))
    write(model / name)
    assert model_identity(LocalModel(path=model)) == before


@pytest.mark.parametrize(
    "name",
    ["model.safetensors", "config.json", "merges.txt", "tokenizer.json", "chat_template.jinja"],
)
def test_a_local_model_is_another_with_other_files_of_its_own(model: Path, name: str) -> None:
    before = model_identity(LocalModel(path=model))
    write(model / name)
    assert model_identity(LocalModel(path=model)) != before
