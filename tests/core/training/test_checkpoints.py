"""A checkpoint gives back the weights and states it was made of, and holds nothing pickled."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from places import HELPERS
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.distributed.checkpoint import HuggingFaceStorageWriter
from torchao.optim import AdamW8bit

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training import checkpoints
from iterpref_assets.core.training.checkpoints import (
    SHARDS,
    CheckpointWriter,
    load_generators,
    read,
    save_generators,
    states,
    trained,
)

Made = tuple[nn.Module, torch.optim.Optimizer]


def with_adamw() -> Made:
    model = nn.Sequential(nn.Linear(128, 64), nn.Linear(64, 128))
    return model, torch.optim.AdamW(model.parameters())


def with_eight_bits() -> Made:
    model = nn.Sequential(nn.Linear(128, 64), nn.Linear(64, 128)).bfloat16()
    return model, AdamW8bit(model.parameters(), bf16_stochastic_round=True)


def stepped(made: Made) -> Made:
    """After two steps, so that no state is what it began as."""
    model, optimizer = made
    with torch.compiler.set_stance("force_eager"):
        for _ in range(2):
            weight = next(model.parameters())
            model(torch.randn(4, 128, dtype=weight.dtype)).square().sum().backward()
            optimizer.step()
            optimizer.zero_grad()
    return made


def tensors(made: Made) -> dict[str, torch.Tensor]:
    return {name: each.clone() for name, each in (trained(made[0]) | states(*made)).items()}


def written(folder: Path, made: Made, *, in_background: bool = False) -> list[str]:
    """What was told of a checkpoint that was written and waited for."""
    told: list[str] = []
    writer = CheckpointWriter(in_background=in_background)
    writer.write(folder, *made, lambda: told.append("whole"))
    writer.wait()
    return told


@pytest.mark.parametrize("in_background", [False, True])
@pytest.mark.parametrize("make", [with_adamw, with_eight_bits])
def test_what_was_written_is_read(
    tmp_path: Path, make: Callable[[], Made], in_background: bool
) -> None:
    made = stepped(make())
    assert written(tmp_path, made, in_background=in_background) == ["whole"]
    other = make()
    with torch.compiler.set_stance("force_eager"):
        read(tmp_path, *other)
    expected, found = tensors(made), tensors(other)
    assert len(expected) > 12
    assert expected.keys() == found.keys()
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


def test_what_is_written_in_the_background_is_what_was_there_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stepped(with_adamw())
    before = tensors(made)
    write = HuggingFaceStorageWriter.write_data

    def after_a_step(self, plan, planner):
        stepped(made)
        return write(self, plan, planner)

    monkeypatch.setattr(HuggingFaceStorageWriter, "write_data", after_a_step)
    written(tmp_path, made, in_background=True)
    assert not torch.equal(tensors(made)["model.0.weight"], before["model.0.weight"])
    other = with_adamw()
    read(tmp_path, *other)
    found = tensors(other)
    assert [name for name in before if not torch.equal(before[name], found[name])] == []


def test_every_file_of_a_checkpoint_is_safetensors(tmp_path: Path) -> None:
    written(tmp_path, stepped(with_adamw()))
    save_generators(tmp_path)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    for file in files:
        with safe_open(file, framework="pt") as opened:
            assert opened.keys()
    assert len(files) == 2


def test_weights_that_are_not_trained_are_left_out(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[0].requires_grad_(False)
    made = stepped_small(model)
    written(tmp_path, made)
    names = {name for file in (tmp_path / SHARDS).iterdir() for name in names_in(file)}
    assert {name for name in names if name.startswith("model.")} == {
        "model.1.weight", "model.1.bias",
    }  # fmt: skip


def stepped_small(model: nn.Module) -> Made:
    optimizer = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad])
    model(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    return model, optimizer


def names_in(file: Path) -> list[str]:
    with safe_open(file, framework="pt") as opened:
        return list(opened.keys())


def test_a_large_checkpoint_is_written_file_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three tensors for each of two weights of 32 KiB, the rest beside them."""
    monkeypatch.setattr(checkpoints, "FILE_BYTES", 70_000)
    made = stepped(with_adamw())
    written(tmp_path, made)
    files = list((tmp_path / SHARDS).iterdir())
    assert len(files) == 3
    assert max(file.stat().st_size for file in files) < 75_000
    other = with_adamw()
    read(tmp_path, *other)
    assert torch.equal(tensors(other)["optimizer.1.weight.exp_avg"],
                       tensors(made)["optimizer.1.weight.exp_avg"])  # fmt: skip


@pytest.mark.parametrize("in_background", [False, True])
def test_what_kept_it_from_being_written_is_raised_and_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_background: bool
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(HuggingFaceStorageWriter, "write_data", full)
    told: list[str] = []
    writer = CheckpointWriter(in_background=in_background)
    with pytest.raises(OSError, match="No space left"):
        writer.write(tmp_path, *stepped(with_adamw()), lambda: told.append("whole"))
        writer.wait()
    assert told == []


def test_a_checkpoint_without_a_weight_is_refused_by_the_name_of_the_weight(tmp_path: Path) -> None:
    written(tmp_path, stepped_small(nn.Sequential(nn.Linear(4, 4))))
    two = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4, bias=False))
    with pytest.raises(InputError, match=r"lacks model\.1\.weight\..*Remove it") as raised:
        read(tmp_path, two)
    assert "processes" not in str(raised.value)


def test_moments_that_lie_there_by_process_are_told_as_such(tmp_path: Path) -> None:
    """A moment of 8 bits has codes, scale and qmap."""
    made = stepped(with_eight_bits())
    by_process = {
        f"{name}@0of2" if name.endswith((".codes", ".scale", ".qmap")) else name: tensor
        for name, tensor in tensors(made).items()
    }
    (tmp_path / SHARDS).mkdir()
    save_file(by_process, tmp_path / SHARDS / "model.safetensors")
    assert len([name for name in by_process if "@" in name]) == 2 * 2 * 3
    with pytest.raises(InputError, match="Resume with as many processes as wrote it"):
        read(tmp_path, *made)


@pytest.mark.slow
def test_eight_bit_moments_of_sharded_weights_are_read_by_as_many_processes_alone(
    tmp_path: Path,
) -> None:
    script, told = HELPERS / "sharded_moments.py", tmp_path / "told.json"
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    subprocess.run([*torchrun, script, tmp_path / "two", told], check=True)
    found = json.loads(told.read_text())
    assert found["differ"] == []
    # Two weights of 128 * 128, whose moments have 8 bits; biases are too small for that.
    assert found["moments"] == 2 * 2
    # Those of both moments and of all weights and biases, which began otherwise.
    assert found["read"] > 2 * 2 * 2
    model = nn.Sequential(nn.Linear(128, 128), nn.Linear(128, 128))
    with (
        torch.compiler.set_stance("force_eager"),
        pytest.raises(InputError, match="Resume with as many processes as wrote it"),
    ):
        read(tmp_path / "two", model, AdamW8bit(model.parameters()))


def test_random_numbers_go_on_where_they_stood(tmp_path: Path) -> None:
    save_generators(tmp_path)
    first = torch.rand(3)
    load_generators(tmp_path)
    assert torch.equal(torch.rand(3), first)


def test_a_process_that_there_was_not_keeps_its_own_random_numbers(tmp_path: Path) -> None:
    torch.manual_seed(1)
    load_generators(tmp_path)
    assert torch.equal(torch.rand(3), torch.rand(3, generator=torch.Generator().manual_seed(1)))
