"""One of two processes whose sharded weights have 8-bit moments: the checkpoint's folder, the file.

It writes a checkpoint, reads it into another model, and writes to the file which tensors differ and
how many moments of 8 bits there are. Started by torchrun.
"""

import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torchao.optim import AdamW8bit

from iterpref_assets.core.training.checkpoints import CheckpointWriter, read, states, trained


def made(seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    """A sharded model; a shard has 64 * 128 values, 32 blocks of them."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(128, 128), nn.Linear(128, 128))
    fully_shard(model, mesh=init_device_mesh("cpu", (dist.get_world_size(),)))
    return model, AdamW8bit(model.parameters())


def local(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """This process's part of all that a checkpoint holds."""
    found = trained(model) | states(model, optimizer)
    return {
        name: (each.to_local() if hasattr(each, "to_local") else each).clone()
        for name, each in found.items()
    }


if __name__ == "__main__":
    folder, file = map(Path, sys.argv[1:])
    torch.compiler.set_stance("force_eager")
    dist.init_process_group("gloo")
    model, optimizer = made(seed=1)
    for _ in range(2):
        model(torch.randn(4, 128)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    writer = CheckpointWriter(in_background=True)
    writer.write(folder, model, optimizer, lambda: None)
    writer.wait()
    other = made(seed=2)
    before = local(*other)
    read(folder, *other)
    expected, found = local(model, optimizer), local(*other)
    told = {
        "differ": [name for name in expected if not torch.equal(expected[name], found[name])],
        "read": sum(not torch.equal(before[name], found[name]) for name in found),
        "moments": sum(".codes@" in name for name in expected),
    }
    if dist.get_rank() == 0:
        file.write_text(json.dumps(told))
    dist.destroy_process_group()
