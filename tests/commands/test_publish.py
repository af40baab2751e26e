"""`iterpref publish` against a hub on this machine, and its models read back from there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from huggingface_hub import ModelCard, constants
from loopback_hub import LoopbackHub, loopback_hub

from iterpref_assets.commands.publish import publish
from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.steps.named_model import named_model

TOKEN = "hf_of_a_test"
WEIGHTS = b"weights" * 4000
TRAINED = {
    "model_sha256": "11", "pairs_sha256": "22", "figures": {"loss": 1.0}, "trackers": {},
    "base_model": {"source": "lab"}, "recipe": {"name": "focal_rpo"},
    "config": TrainConfig().model_dump(mode="json"), "code_version": "0.1.0",
}  # fmt: skip


@pytest.fixture
def hub(monkeypatch) -> LoopbackHub:
    """The hub that huggingface_hub talks to, by LFS: its own protocol (Xet) is another server's."""
    with loopback_hub(TOKEN) as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield hub


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "trained"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "config.json").write_text("{}")
    (folder / "training.json").write_text(json.dumps(TRAINED))
    return folder


def test_a_dry_run_shows_card_and_files_and_asks_the_hub_nothing(model, monkeypatch, capsys):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    publish("me/focal", model=model)
    told = capsys.readouterr().out
    assert "model me/focal (private where it is new)" in told
    assert f"model.safetensors                {len(WEIGHTS):>14,} bytes" in told
    assert "`focal_rpo`: Target-RPO" in told
    assert told.endswith("nothing was pushed: --push does it\n")


def test_a_model_is_pushed_in_one_commit_with_its_card(hub, model, capsys):
    publish("me/focal", model=model, license_="apache-2.0", push=True)
    repository = hub.repositories["me/focal"]
    assert sorted(repository.files) == ["README.md", "config.json", "model.safetensors"]
    assert repository.files["model.safetensors"] == WEIGHTS
    assert repository.private
    assert len(repository.commits) == 1
    assert ModelCard(repository.files["README.md"].decode()).data.license == "apache-2.0"
    assert capsys.readouterr().out.endswith(f"/me/focal/commit/{repository.commits[0]}\n")


def test_weights_go_as_a_large_file(hub, model):
    publish("me/focal", model=model, push=True)
    assert list(hub.lfs.values()) == [WEIGHTS]


def test_the_hub_checks_the_card_before_it_is_committed(hub, model):
    publish("me/focal", model=model, push=True)
    (checked,) = hub.cards
    assert checked.encode() == hub.repositories["me/focal"].files["README.md"]


def test_a_second_push_adds_a_commit(hub, model):
    publish("me/focal", model=model, push=True)
    (model / "config.json").write_text('{"changed": true}')
    publish("me/focal", model=model, push=True)
    repository = hub.repositories["me/focal"]
    assert len(repository.commits) == 2
    assert repository.files["config.json"] == b'{"changed": true}'


def test_pairs_are_pushed_as_a_data_set_of_messages(hub, tmp_path):
    row = {
        "pair_id": "p#0:0-1", "trajectory_id": "p#0", "problem_id": "p", "prompt": "Add them.",
        "chosen": "x = 1", "rejected": "x = 2", "chosen_round": 1, "rejected_round": 0,
        "chosen_diff_lines": [0], "rejected_diff_lines": [0], "dropped_by": None,
    }  # fmt: skip
    table = tmp_path / "pairs.parquet"
    pl.DataFrame([row], schema=tables.PAIRS).write_parquet(table)
    publish("me/pairs", pairs=table, push=True)
    repository = hub.repositories["me/pairs"]
    assert repository.kind == "dataset"
    (pushed,) = pl.read_parquet(repository.files["train.parquet"]).to_dicts()
    assert pushed["prompt"] == [{"role": "user", "content": "Add them."}]
    assert pushed["chosen"] == [{"role": "assistant", "content": "```python\nx = 1\n```"}]


def test_a_hub_that_refuses_the_token_is_one_message(hub, model, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_another")
    with pytest.raises(InputError, match="Check the name, the network, and the token"):
        publish("me/focal", model=model, push=True)
    assert not hub.repositories


def test_a_hub_that_is_not_there_is_one_message(hub, model, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(InputError, match=r"the hub at http://127.0.0.1:1 did not take it"):
        publish("me/focal", model=model, push=True)


def test_a_model_that_the_hub_does_not_have_is_one_message(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(InputError, match="the hub did not give me/nothing at revision main"):
        named_model("me/nothing")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Give --model, --checkpoint or --pairs"),
        ({"model": Path("m"), "pairs": Path("p")}, "Give --model, --checkpoint or --pairs"),
        ({"pairs": Path("p"), "scores": [Path("s")]}, "--scores is for --model only"),
    ],
    ids=["nothing", "two", "scores of pairs"],
)
def test_what_contradicts_itself_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        publish("me/focal", **options)


@pytest.mark.parametrize("name", ["focal", "me/fo cal", "me/--x"])
def test_what_is_no_name_of_a_repository_is_refused(name, model):
    with pytest.raises(InputError, match=r"--repo.*OWNER/NAME"):
        publish(name, model=model)


def run_with(hub, tmp_path: Path, program: str) -> subprocess.CompletedProcess[str]:
    """A process of its own: huggingface_hub reads the hub's address once, as it is imported."""
    variables = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_CACHE": str(tmp_path / "cache")}
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_description_of_a_pushed_model_comes_without_its_weights(hub, model, tmp_path):
    publish("me/focal", model=model, push=True)
    program = (
        "from iterpref_assets.steps.named_model import description_folder\n"
        "folder = description_folder('me/focal')\n"
        "print(*sorted(path.name for path in folder.iterdir()))"
    )
    done = run_with(hub, tmp_path, program)
    assert "config.json" in done.stdout.split(), done.stderr
    assert "model.safetensors" not in done.stdout.split()


def test_a_pushed_model_is_found_by_its_name_at_its_commit(hub, model, tmp_path):
    publish("me/focal", model=model, push=True)
    program = (
        "from iterpref_assets.steps.named_model import named_model\n"
        "source, folder = named_model('me/focal')\n"
        "assert named_model(f'me/focal@{source.revision}') == (source, folder)\n"
        "print(source.revision, (folder / 'model.safetensors').stat().st_size)"
    )
    done = run_with(hub, tmp_path, program)
    assert done.stdout.split() == [
        hub.repositories["me/focal"].commits[0], str(len(WEIGHTS)),
    ], done.stderr  # fmt: skip


def test_the_command_pushes_by_the_hubs_own_variables(hub, model):
    variables = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-m", "iterpref_assets", "publish", "--model", str(model)]
    done = subprocess.run(
        [*command, "--repo", "me/focal", "--public", "--push"],
        env={**os.environ, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not hub.repositories["me/focal"].private
