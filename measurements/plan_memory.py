"""What `iterpref train --plan` says of memory beside what runs hold.

    python measurements/plan_memory.py            # real runs on this CPU, one process each
    python measurements/plan_memory.py --model FOLDER --pairs PARQUET --only "bfloat16, adamw"
    python measurements/plan_memory.py --gpu      # beside results/gpu-h100.json; trains nothing

On the CPU Qwen2-architecture models of 22M parameters, and narrower, deeper ones of 33M, train two
steps of two micro-batches; held is the most resident memory until the end of the last step less
that before the model loads. With `--model` that model trains instead, on the longest of its
tokenized pairs, repeated. The GPU runs are those of gpu.py: their pairs are made anew, and their
peaks are what torch had allocated.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from published import LLMDEBUGGER

from iterpref_assets.core import tables
from iterpref_assets.core.training.cards import CARDS, Card
from iterpref_assets.core.training.config import Attention, Lora, TrainConfig
from iterpref_assets.core.training.plan import TRUSTED, plan
from iterpref_assets.core.training.recipes import recipe_named

RESULTS = Path(__file__).parent / "results" / "gpu-h100.json"


@dataclass(frozen=True)
class Shape:
    """A model, and tokens a side of its pairs."""

    architecture: dict[str, Any]
    tokens: int


SMALL, DEEP = "22M", "33M"
SHAPES = {
    SMALL: Shape({
        "vocab_size": 16_000, "hidden_size": 512, "intermediate_size": 1792, "num_hidden_layers": 4,
        "num_attention_heads": 8, "num_key_value_heads": 2, "tie_word_embeddings": True,
    }, tokens=240),
    DEEP: Shape({
        "vocab_size": 24_000, "hidden_size": 384, "intermediate_size": 1280,
        "num_hidden_layers": 8, "num_attention_heads": 6, "num_key_value_heads": 3,
        "tie_word_embeddings": False,
    }, tokens=480),
}  # fmt: skip
MICRO, BATCH, STEPS = 2, 4, 2
CPU = Card("this CPU", 0, gpu=False)
SMALL_BLOCKS = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}


@dataclass(frozen=True)
class Case:
    """Options that memory depends on."""

    precision: str = "float32"
    optimizer: str = "adamw"
    gradient_checkpointing: bool = False
    adapters: bool = False
    four_bits: bool = False
    shape: str = SMALL

    @property
    def name(self) -> str:
        """What to print."""
        words = [self.precision, self.optimizer]
        words += ["checkpointed"] if self.gradient_checkpointing else []
        words += [("nf4 " if self.four_bits else "") + "lora"] if self.adapters else []
        words += [self.shape] if self.shape != SMALL else []
        return ", ".join(words)

    @property
    def config(self) -> TrainConfig:
        """The options of the run."""
        return TrainConfig(
            batch_size=BATCH,
            micro_batch_size=MICRO,
            epochs=1,
            precision=self.precision,
            optimizer=self.optimizer,
            gradient_checkpointing=self.gradient_checkpointing,
            lora=Lora(nf4=self.four_bits) if self.adapters else None,
            save_minutes=10_000,
        )


CASES = [
    *(Case(precision) for precision in ("float32", "mixed_bfloat16", "bfloat16")),
    *(
        Case(precision, gradient_checkpointing=True)
        for precision in ("float32", "mixed_bfloat16", "bfloat16")
    ),
    Case("bfloat16", "adamw_8bit"),
    Case("bfloat16", "adamw_8bit", gradient_checkpointing=True),
    Case("float32", "adamw_8bit"),
    Case("mixed_bfloat16", adapters=True, gradient_checkpointing=True),
    *(
        Case(precision, adapters=True, four_bits=four_bits, shape=shape)
        for shape in SHAPES
        for precision, four_bits in (("float32", False), ("bfloat16", False), ("bfloat16", True))
    ),
    Case("bfloat16", shape=DEEP),
]


def prepare(folder: Path, shape: Shape) -> None:
    """Write a model of `shape` and random pairs, half of each side shared."""
    import torch
    from transformers import AutoModelForCausalLM, Qwen2Config

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(
        Qwen2Config(**shape.architecture), dtype=torch.bfloat16
    )
    model.save_pretrained(folder / "model")
    rng, vocabulary = np.random.default_rng(0), shape.architecture["vocab_size"]
    rows = []
    for index in range(BATCH * STEPS):
        prompt, common = rng.integers(0, vocabulary, (2, shape.tokens // 4)).tolist()
        sides = rng.integers(0, vocabulary, (2, shape.tokens // 2)).tolist()
        ids = [common + side for side in sides]
        mask = [[False] * len(common) + [True] * len(sides[0])] * 2
        rows.append([str(index), prompt, *ids, *mask])
    table = pl.DataFrame(rows, schema=tables.TOKENIZED_PAIRS, orient="row")
    tables.write_table(table, tables.TOKENIZED_PAIRS, folder / "pairs.parquet")


def prepare_real(folder: Path, model: Path, pairs: Path) -> None:
    """Put `model` in the folder, and the longest of `pairs` as often as a run takes pairs.

    The plan is of the largest pass at a time when the optimizer has its states, so the last step
    needs such a pass too.
    """
    (folder / "model").symlink_to(model.resolve(), target_is_directory=True)
    tokens = tables.read_table(pairs, tables.TOKENIZED_PAIRS)
    sides = pl.col("chosen_ids").list.len() + pl.col("rejected_ids").list.len()
    longest = tokens.sort(sides, descending=True).head(1)
    repeated = pl.concat([longest] * (BATCH * STEPS)).with_columns(
        pair_id=pl.int_range(BATCH * STEPS).cast(pl.String)
    )
    tables.write_table(repeated, tables.TOKENIZED_PAIRS, folder / "pairs.parquet")


def planned(folder: Path, case: Case) -> int:
    """Bytes that the plan says."""
    tokens = tables.read_table(folder / "pairs.parquet", tables.TOKENIZED_PAIRS)
    return plan(tokens, folder / "model", recipe_named("focal_rpo"), case.config, CPU).peak


def held(folder: Path, case: Case) -> int:
    """Bytes that a run in a process of its own holds."""
    done = subprocess.run(
        [sys.executable, __file__, "--folder", folder, "--case", json.dumps(asdict(case))],
        stdout=subprocess.PIPE,
        check=True,
        # The small model's blocks are smaller than those that training gives back to the system.
        env=os.environ | ({} if (folder / "model").is_symlink() else SMALL_BLOCKS),
    )
    return int(done.stdout.splitlines()[-1])


class _Done(Exception):  # noqa: N818 - nothing went wrong
    """All steps are done; the model is not saved."""


def train_here(folder: Path, case: Case) -> int:
    """Train in this process; bytes held at most since before the model loads.

    What a first run brings into a process, such as libraries and compiled kernels, is no memory of
    the run: the second one is measured.
    """
    train_once(folder, case, 1)
    gc.collect()
    before, files = _forget_peak(), _memory("RssFile")
    peak = train_once(folder, case, STEPS)
    # Pages of files, of weights and libraries, are the system's to drop, but for those that every
    # step reads: dropped, they would be read from the disk again at every step.
    return peak.resident - before - (peak.of_files - files) + peak.read_again


@dataclass(frozen=True)
class Peak:
    """Bytes at the end of the last step: at most resident, of files, of weights' files in use."""

    resident: int
    of_files: int
    read_again: int


def train_once(folder: Path, case: Case, steps: int) -> Peak:
    """Train that many steps in this process; nothing is saved."""
    from iterpref_assets.core.training.trainer import train

    tokens = tables.read_table(folder / "pairs.parquet", tables.TOKENIZED_PAIRS)
    zeros = {
        f"{side}_logprobs": [[0.0] * len(ids) for ids in tokens[f"{side}_ids"]]
        for side in ("chosen", "rejected")
    }
    reference = pl.DataFrame(
        {"pair_id": tokens["pair_id"], **zeros}, schema=tables.REFERENCE_LOGPROBS
    )
    peaks: list[Peak] = []

    def stop_at_the_end(point: dict[str, float]) -> None:
        if point["step"] < steps:
            forget_reads()
            return
        read_again = read_of_files(folder / "model")
        peaks.append(Peak(_memory("VmHWM"), _memory("RssFile"), read_again))
        raise _Done

    with tempfile.TemporaryDirectory() as work, contextlib.suppress(_Done):
        train(
            tokens, reference, folder / "model", recipe_named("focal_rpo"), case.config,
            Path(work) / "out", Path(work) / "work", stop_at_the_end,
        )  # fmt: skip
    return peaks[0]


def forget_reads() -> None:
    """Let `read_of_files` count from now on."""
    Path("/proc/self/clear_refs").write_text("1")


def read_of_files(folder: Path) -> int:
    """Bytes in pages of mapped files of `folder` that were read since `forget_reads`.

    safetensors maps a file, and weights that are loaded in the file's own type stay pages of it
    until they are written to. A page that was written to is memory of the process, and no longer
    of the file.
    """
    files = {str(file.resolve()) for file in folder.iterdir()}
    found, sizes = 0, dict[str, int]()
    ours = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, *rest = line.split(maxsplit=5)
        if not name.endswith(":"):
            ours = bool(rest) and rest[-1] in files
        elif ours and name in {"Rss:", "Referenced:", "Anonymous:"}:
            sizes[name] = int(rest[0]) * 1024
        elif ours and name == "VmFlags:":  # the last line of a mapping
            found += min(sizes["Referenced:"], sizes["Rss:"] - sizes["Anonymous:"])
    return found


def _forget_peak() -> int:
    """Bytes resident now, from which the peak is counted anew; what is free is given back first."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise KeyError(name)


def on_gpu(data: Path) -> Iterator[tuple[str, int, int]]:
    """Runs of results/gpu-h100.json: name, bytes planned, bytes allocated at most."""
    from gpu_pairs import prepare as prepare_pairs
    from gpu_runs import SHAPES, _tokens
    from gpu_runs import Case as Recorded
    from transformers import Qwen2Config

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare_pairs(folder / "pairs.parquet", data)
        runs = [run for part in json.loads(RESULTS.read_text()) for run in part["runs"].values()]
        for run in runs:
            if "peak_bytes" not in run or run["case"]["who"] != "ours":
                continue
            case = Recorded(**run["case"] | {"pairs": str(folder / "pairs.parquet")})
            Qwen2Config(**SHAPES[case.shape]).save_pretrained(folder / case.shape)
            config = TrainConfig(
                batch_size=case.batch,
                micro_batch_size=case.micro,
                precision=case.precision,
                optimizer=case.optimizer,
                gradient_checkpointing=case.checkpointing,
                compile_layers=case.compiled,
                attention=None if case.attention is None else Attention(case.attention),
            )
            made = plan(
                _tokens(case), folder / case.shape, recipe_named(case.recipe), config, CARDS["h100"]
            )
            yield case.name, made.peak, run["peak_bytes"]


def on_cpu(given: argparse.Namespace) -> Iterator[tuple[str, int, int]]:
    """Runs on this machine that are asked for: name, bytes planned, bytes held."""
    with tempfile.TemporaryDirectory() as name:
        folders = folders_of(given, Path(name))
        for case in (case for case in named(given.only) if case.shape in folders):
            folder = folders[case.shape]
            yield case.name, planned(folder, case), held(folder, case)


def named(only: str) -> list[Case]:
    """The case of that name, or else all whose names contain it."""
    exact = [case for case in CASES if case.name == only]
    return exact or [case for case in CASES if only in case.name]


def folders_of(given: argparse.Namespace, root: Path) -> dict[str, Path]:
    """Models and pairs by shape; one that is given stands in for the small one, alone."""
    folders = {shape: root / shape for shape in ([SMALL] if given.model else SHAPES)}
    for shape, folder in folders.items():
        folder.mkdir()
        if given.model:
            prepare_real(folder, given.model, given.pairs)
        else:
            prepare(folder, SHAPES[shape])
    return folders


def main() -> None:
    """Print every comparison; exit status 1 where one is further off than a plan may be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpu", action="store_true", help="beside the recorded runs of a GPU")
    parser.add_argument("--data", type=Path, default=LLMDEBUGGER, help="folder of *.jsonl.gz")
    parser.add_argument("--only", default="", help="a CPU run, or all whose names have this")
    parser.add_argument("--model", type=Path, help="folder of the model to train instead")
    parser.add_argument("--pairs", type=Path, help="its tokenized pairs, Parquet")
    parser.add_argument("--folder", type=Path, help="for one run")
    parser.add_argument("--case", help="for one run, as JSON")
    given = parser.parse_args()
    if given.model and not given.pairs:
        parser.error("--model needs its tokenized pairs: --pairs")
    if given.case:
        print(train_here(given.folder, Case(**json.loads(given.case))))
        return
    met = True
    for name, expected, found in on_gpu(given.data) if given.gpu else on_cpu(given):
        off = expected / found - 1
        met &= abs(off) <= TRUSTED
        print(f"{name:<44}{expected / 1e9:8.3f} GB planned{found / 1e9:8.3f} held{off:+8.1%}",
              flush=True)  # fmt: skip
    sys.exit(not met)


if __name__ == "__main__":
    main()
