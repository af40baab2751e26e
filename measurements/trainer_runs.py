"""One training run of this project or of trl 1.16.0 on the same token ids, and what it cost.

python measurements/trainer_runs.py RUN.json      # prints one JSON line; started by the others
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from iterpref_assets.core.training.config import Precision, Schedule, TrainConfig
from iterpref_assets.core.training.recipes import recipe_named

ROOT = Path(__file__).resolve().parents[1]
PEER = ROOT / "data" / "peers" / "trl"
PAIRS, REFERENCE, MODEL = "pairs.parquet", "reference.parquet", "model"


@dataclass(frozen=True)
class Run:
    """A contestant and what it trains: `who` is ours, trl or reference (our pass beforehand).

    `micro` is pairs in one forward pass; trl pads them to the longest, as it pads its batch.
    """

    who: str
    folder: str
    recipe: str = "rpo"
    precompute: bool = False
    batch: int = 8
    micro: int = 8
    epochs: int = 1
    rate: float = 5e-6
    precision: Precision = Precision.FLOAT32
    checkpointing: bool = False

    @property
    def name(self) -> str:
        """What to print."""
        kind = "" if self.who == "ours" else (" precomputed" if self.precompute else " online")
        return f"{self.who} {self.recipe}{kind}"


class Marks:
    """Wall and processor seconds at the end of every optimizer step."""

    def __init__(self) -> None:
        self.steps: list[tuple[float, float]] = []

    def add(self) -> None:
        """Mark the end of a step."""
        self.steps.append((time.perf_counter(), time.process_time()))

    def a_pair(self, clock: int, batch: int) -> float:
        """Seconds a pair of all steps but the first, in which memory is still being claimed."""
        spent = self.steps[-1][clock] - self.steps[0][clock]
        return spent / (batch * (len(self.steps) - 1))


def config_of(run: Run) -> TrainConfig:
    """Our options for a run."""
    return TrainConfig(
        learning_rate=run.rate,
        epochs=run.epochs,
        batch_size=run.batch,
        micro_batch_size=run.micro,
        warmup_ratio=0,
        schedule=Schedule.CONSTANT,
        precision=run.precision,
        gradient_checkpointing=run.checkpointing,
        save_minutes=10_000,
    )


def reference(run: Run) -> dict[str, Any]:
    """Our reference log-probabilities, computed once and kept beside the pairs."""
    from iterpref_assets.core.training.reference import compute_reference_logprobs

    folder = Path(run.folder)
    tokens = pl.read_parquet(folder / PAIRS)
    start = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as work:
        logprobs = compute_reference_logprobs(tokens, folder / MODEL, config_of(run), Path(work))
    spent = time.perf_counter() - start[0], time.process_time() - start[1]
    logprobs.write_parquet(folder / REFERENCE)
    return {"wall": spent[0] / len(tokens), "cpu": spent[1] / len(tokens), "losses": []}


class Done(Exception):  # noqa: N818 - nothing went wrong
    """All steps are measured: the model, for the 7B shape larger than many a disk, is not saved."""


def ours(run: Run, marks: Marks) -> list[float]:
    """The losses of one run of this project's trainer."""
    from iterpref_assets.core.training.trainer import train

    folder = Path(run.folder)
    tokens = pl.read_parquet(folder / PAIRS)
    steps = -(-len(tokens) // run.batch) * run.epochs
    losses: list[float] = []

    def note(point: dict[str, float]) -> None:
        marks.add()
        losses.append(point["loss"])
        if len(losses) == steps:
            raise Done

    with tempfile.TemporaryDirectory() as work, contextlib.suppress(Done):
        train(
            tokens,
            pl.read_parquet(folder / REFERENCE),
            folder / MODEL,
            recipe_named(run.recipe),
            config_of(run),
            Path(work) / "out",
            Path(work) / "work",
            note,
        )
    return losses


def peer(run: Run, marks: Marks) -> list[float]:
    """The losses of one run of trl's trainer, on the very same token ids."""
    import torch
    from datasets import Dataset
    from transformers import AutoTokenizer, TrainerCallback
    from trl import DPOConfig, DPOTrainer

    class IdsTrainer(DPOTrainer):
        def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
            del args, kwargs
            return dataset

    class Mark(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            del args, kwargs
            marks.add()

    folder = Path(run.folder)
    tokens = pl.read_parquet(folder / PAIRS)
    columns = ["prompt_ids", "chosen_ids", "rejected_ids"]
    rows = tokens.select(columns).to_dict(as_series=False)
    text = dict.fromkeys(("prompt", "chosen", "rejected"), [""] * len(tokens))
    tokenizer = AutoTokenizer.from_pretrained(folder / MODEL)
    tokenizer.pad_token = tokenizer.eos_token
    half = run.precision is Precision.BFLOAT16
    with tempfile.TemporaryDirectory() as work:
        arguments = DPOConfig(
            output_dir=work,
            per_device_train_batch_size=run.micro,
            gradient_accumulation_steps=run.batch // run.micro,
            num_train_epochs=run.epochs,
            learning_rate=run.rate,
            lr_scheduler_type="constant",
            beta=0.1,
            loss_type=["sigmoid", "sft"] if recipe_named(run.recipe).alpha else "sigmoid",
            max_length=2048,
            precompute_ref_log_probs=run.precompute,
            gradient_checkpointing=run.checkpointing,
            use_cpu=not torch.cuda.is_available(),
            bf16=run.precision is not Precision.FLOAT32,
            model_init_kwargs={"dtype": "bfloat16" if half else "float32"},
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=0,
        )
        trainer = IdsTrainer(
            model=str(folder / MODEL),
            args=arguments,
            train_dataset=Dataset.from_dict(rows | text),
            processing_class=tokenizer,
            callbacks=[Mark()],
        )
        trainer.train()
    return [point["loss"] for point in trainer.state.log_history if "loss" in point]


def do(run: Run) -> dict[str, Any]:
    """What `run` costs: seconds a pair (wall and processor), peak memory in MB, its losses."""
    import torch

    if run.who == "reference":
        found = reference(run)
    else:
        marks = Marks()
        losses = (ours if run.who == "ours" else peer)(run, marks)
        wall, cpu = (marks.a_pair(clock, run.batch) for clock in (0, 1))
        found = {"wall": wall, "cpu": cpu, "losses": losses}
    if torch.cuda.is_available():
        return found | {"peak": torch.cuda.max_memory_allocated() / 2**20}
    return found | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def measure(run: Run, threads: int) -> dict[str, Any]:
    """What a fresh process measures of `run`."""
    environment = os.environ | {"TQDM_DISABLE": "1", "OMP_NUM_THREADS": str(threads)}
    if run.who == "trl":
        environment["PYTHONPATH"] = str(PEER)
    command = [sys.executable, __file__, json.dumps(asdict(run))]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.decode().splitlines()[-1])


def random_model(folder: Path, shape: dict[str, Any], tokenizer: Any, dtype: str) -> None:
    """Write a Qwen2-architecture model of random weights with its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, Qwen2Config

    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = AutoModelForCausalLM.from_config(Qwen2Config(**shape), dtype=getattr(torch, dtype))
    model.save_pretrained(folder / MODEL)
    tokenizer.save_pretrained(folder / MODEL)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps(do(Run(**given | {"precision": Precision(given["precision"])}))))
