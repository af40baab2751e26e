"""This trainer against trl 1.16.0's DPOTrainer: pairs a second, peak memory, and the same loss.

    pip install --no-deps --target data/benchmark-peers/trl trl==1.16.0
    python benchmarks/trainer_speed.py                # speed and memory, on real debugging pairs
    python benchmarks/trainer_speed.py --parity       # losses of both on the same batches, small

A Qwen2-architecture model of 13.3M parameters (6 layers, width 256, 32k vocabulary, random
weights) in float32, batches of 8 pairs, no gradient checkpointing in either. Each trainer runs in
its own process, on the same token ids. trl runs its sigmoid + sft loss (RPO) with the reference
model online, its default, and with precomputed reference log-probabilities; this project runs
focal_rpo and rpo, whose reference log-probabilities are computed beforehand in any case. `cpu`
counts processor seconds, which other work on the machine disturbs least.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from iterpref_assets.core import tables
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.llmdebugger import read_trajectories
from iterpref_assets.core.pairs.tokenization import tokenize_pairs
from iterpref_assets.core.sandbox.verdicts import Verdict
from iterpref_assets.core.training.config import Precision, Schedule, TrainConfig
from iterpref_assets.core.training.recipes import recipe_named

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "trajectories" / "llmdebugger"
PEER = ROOT / "data" / "benchmark-peers" / "trl"
BATCH = 8
SPEED = ("ours focal_rpo", "ours rpo", "trl online", "trl precomputed")
PARITY = ("ours dpo", "trl dpo", "ours rpo", "trl rpo")


@dataclass(frozen=True)
class Size:
    """A Qwen2-architecture model."""

    vocabulary: int
    width: int
    intermediate: int
    layers: int


MEASURED = Size(32_000, 256, 896, 6)
COMPARED = Size(2_000, 64, 128, 2)
"""Small, because equal losses need no large model."""


def prepare(folder: Path, data: Path, pairs: int | None, size: Size) -> None:
    """Write the pairs and the random model to `folder`."""
    import torch
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    recorded = read_trajectories(sorted(data.glob("*.jsonl.gz")))
    last = pl.col("round") == pl.col("round").max().over("trajectory_id")
    versions = recorded.versions.join(recorded.claims, on="trajectory_id").with_columns(
        verdict=pl.when(last & pl.col("is_solved"))
        .then(pl.lit(Verdict.PASSED.value))
        .otherwise(pl.lit(Verdict.WRONG_ANSWER.value)),
        error_type=pl.lit(""),
        feedback=pl.lit(""),
    )
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    corpus = [*versions["code"], *(problem.prompt for problem in recorded.problems)]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        corpus,
        trainers.BpeTrainer(
            vocab_size=size.vocabulary, special_tokens=["<|im_end|>"], initial_alphabet=alphabet
        ),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>")
    problems = pl.DataFrame(
        [
            problem.model_dump(mode="json") | {"tests": problem.tests.model_dump_json()}
            for problem in recorded.problems
        ],
        schema=tables.PROBLEMS,
    )
    config = PairConfig()
    built = build_pairs(versions.select(list(tables.VERSIONS)), problems, config)
    tokens = tokenize_pairs(built, tokenizer, config).table.head(pairs)
    tables.write_table(tokens, tables.TOKENIZED_PAIRS, folder / "pairs.parquet")

    torch.manual_seed(0)
    shape = Qwen2Config(
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        intermediate_size=size.intermediate,
        num_hidden_layers=size.layers,
        num_attention_heads=8,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    Qwen2ForCausalLM(shape).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")


def ours(folder: Path, recipe: str, epochs: int, rate: float, micro: int) -> dict[str, Any]:
    """One run of this project's trainer."""
    from iterpref_assets.core.training.reference import compute_reference_logprobs
    from iterpref_assets.core.training.trainer import train

    config = TrainConfig(
        learning_rate=rate,
        epochs=epochs,
        batch_size=BATCH,
        micro_batch_size=micro,
        warmup_ratio=0,
        schedule=Schedule.CONSTANT,
        precision=Precision.FLOAT32,
        gradient_checkpointing=False,
        save_steps=10_000,
    )
    tokens = pl.read_parquet(folder / "pairs.parquet")
    reference_file = folder / "reference.parquet"
    if not reference_file.is_file():
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as work:
            logprobs = compute_reference_logprobs(tokens, folder / "model", config, Path(work))
        logprobs.write_parquet(reference_file)
        print(f"reference pass: {time.perf_counter() - start:.1f} s", file=sys.stderr)
    marks: list[tuple[float, float]] = []

    def mark(point: dict[str, float]) -> None:
        del point
        marks.append((time.perf_counter(), time.process_time()))

    with tempfile.TemporaryDirectory() as work:
        outcome = train(
            tokens,
            pl.read_parquet(reference_file),
            folder / "model",
            recipe_named(recipe),
            config,
            Path(work) / "out",
            Path(work) / "work",
            mark,
        )
    return {"marks": marks, "losses": [point["loss"] for point in outcome.curve]}


def peer(
    folder: Path, recipe: str, epochs: int, rate: float, *, precompute: bool
) -> dict[str, Any]:
    """One run of trl's trainer, on the very same token ids."""
    from datasets import Dataset
    from transformers import AutoTokenizer, TrainerCallback
    from trl import DPOConfig, DPOTrainer

    class IdsTrainer(DPOTrainer):
        def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
            del args, kwargs
            return dataset

    marks: list[tuple[float, float]] = []

    class Mark(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            del args, kwargs
            marks.append((time.perf_counter(), time.process_time()))

    tokens = pl.read_parquet(folder / "pairs.parquet")
    columns = ["prompt_ids", "chosen_ids", "rejected_ids"]
    rows = tokens.select(columns).to_dict(as_series=False)
    text = {"prompt": [""] * len(tokens), "chosen": [""] * len(tokens)}
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    tokenizer.pad_token = tokenizer.eos_token
    with tempfile.TemporaryDirectory() as work:
        arguments = DPOConfig(
            output_dir=work,
            per_device_train_batch_size=BATCH,
            num_train_epochs=epochs,
            learning_rate=rate,
            lr_scheduler_type="constant",
            beta=0.1,
            loss_type=["sigmoid", "sft"] if recipe == "rpo" else "sigmoid",
            max_length=2048,
            precompute_ref_log_probs=precompute,
            gradient_checkpointing=False,
            bf16=False,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=0,
        )
        trainer = IdsTrainer(
            model=str(folder / "model"),
            args=arguments,
            train_dataset=Dataset.from_dict(rows | text | {"rejected": text["chosen"]}),
            processing_class=tokenizer,
            callbacks=[Mark()],
        )
        trainer.train()
    losses = [point["loss"] for point in trainer.state.log_history if "loss" in point]
    return {"marks": marks, "losses": losses}


def work(folder: Path, name: str, epochs: int, rate: float, micro: int) -> None:
    """Run `name` in this process and print what was measured as one JSON line."""
    who, what = name.split()
    if who == "ours":
        result = ours(folder, what, epochs, rate, micro)
    else:
        recipe = "dpo" if what == "dpo" else "rpo"
        result = peer(folder, recipe, epochs, rate, precompute=what == "precomputed")
    (wall, cpu), (last_wall, last_cpu) = result["marks"][0], result["marks"][-1]
    pairs = BATCH * (len(result["marks"]) - 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    measured = {"wall": (last_wall - wall) / pairs, "cpu": (last_cpu - cpu) / pairs, "peak": peak}
    print(json.dumps(measured | {"losses": result["losses"]}))


def measure(folder: Path, name: str, options: list[str]) -> dict[str, Any]:
    """What a fresh process measures of `name`."""
    environment = os.environ | {"TQDM_DISABLE": "1"}
    if name.startswith("trl"):
        environment["PYTHONPATH"] = str(PEER)
    command = [sys.executable, __file__, "--folder", str(folder), "--work", name, *options]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.decode().splitlines()[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of *.jsonl.gz")
    parser.add_argument("--pairs", type=int, help="how many pairs; all without")
    parser.add_argument("--micro", type=int, default=1, help="pairs in one of our forward passes")
    parser.add_argument("--parity", action="store_true", help="compare losses instead")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--epochs", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--rate", type=float, default=5e-6, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.folder, given.work, given.epochs, given.rate, given.micro)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs, size = (BATCH, COMPARED) if given.parity else (given.pairs, MEASURED)
        prepare(folder, given.data, pairs, size)
        micro = ["--micro", str(given.micro)]
        if given.parity:
            options = ["--epochs", "5", "--rate", "1e-3", *micro]
            for who in PARITY:
                losses = measure(folder, who, options)["losses"]
                print(f"{who:<10}" + " ".join(f"{loss:.6f}" for loss in losses))
            return
        for who in SPEED:
            found = measure(folder, who, micro)
            print(
                f"{who:<16}{1 / found['wall']:6.2f} pairs/s  {found['cpu']:6.3f} cpu s/pair  "
                f"peak {found['peak']:,.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
