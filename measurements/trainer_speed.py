"""This trainer against trl 1.16.0's DPOTrainer: pairs a second, peak memory, and the same loss.

    pip install --no-deps --target data/peers/trl trl==1.16.0
    python measurements/trainer_speed.py --pairs 80     # 10 steps each; all 144 pairs without
    python measurements/trainer_speed.py --parity       # losses of both on the same batches, small
    python measurements/trainer_speed.py --model MODEL --pairs 8 --batch 2 --peer-micro 1 \
        --precision bfloat16 --keep FOLDER      # a real model in place of the random one

A Qwen2-architecture model of 13.3M parameters (6 layers, width 256, 32k vocabulary, random
weights) in float32, batches of 8 real debugging pairs, no gradient checkpointing in either. Each
trainer runs in a process of its own with the same number of threads, on the same token ids. trl
runs its sigmoid + sft loss (RPO) with the reference model online, its default, and with
precomputed reference log-probabilities; this project runs focal_rpo and rpo, whose reference
log-probabilities are computed beforehand in any case (their cost, paid once for all recipes and
epochs, has its own line). `cpu` counts processor seconds, which other work on the machine disturbs
least. The first step of each run is not timed. With `--keep`, contestants measured before are not
run again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from published import LLMDEBUGGER
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from trainer_runs import MODEL, PAIRS, Run, config_of, measure, random_model

from iterpref_assets.core import tables
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.recorded import Recorded, read_trajectories
from iterpref_assets.core.pairs.tokenization import tokenize_pairs
from iterpref_assets.core.sandbox.verdicts import Verdict
from iterpref_assets.core.training.config import Attention, Precision
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.trainer import packed_pairs
from iterpref_assets.core.training.work import work_of

DATA = LLMDEBUGGER
TOLERANCE = 1e-5
TARGETS = {"online": 3.0, "precomputed": 2.0}
TARGETS_OF_FOCAL = {"online": 5.0, "precomputed": 4.0}
"""For a real model, whose large vocabulary and shared prompts favour this project more."""
MEASURED = {
    "vocab_size": 32_000, "hidden_size": 256, "intermediate_size": 896, "num_hidden_layers": 6,
    "num_attention_heads": 8, "num_key_value_heads": 2, "tie_word_embeddings": True,
}  # fmt: skip
COMPARED = MEASURED | {
    "vocab_size": 2_000, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
}  # fmt: skip
"""Small, because equal losses need no large model."""


def prepare(folder: Path, data: Path, pairs: int | None, shape: dict[str, Any]) -> None:
    """Write the pairs and a random model of `shape` to `folder`."""
    from transformers import PreTrainedTokenizerFast

    recorded, versions = recorded_versions(data)
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    corpus = [*versions["code"], *(problem.prompt for problem in recorded.problems)]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        corpus,
        trainers.BpeTrainer(
            vocab_size=shape["vocab_size"], special_tokens=["<|im_end|>"], initial_alphabet=alphabet
        ),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>")
    tokens = tokenized(recorded, versions, tokenizer)
    tokens = tokens if pairs is None else tokens.head(pairs)
    tables.write_table(tokens, tables.TOKENIZED_PAIRS, folder / PAIRS)
    random_model(folder, shape, tokenizer, "float32")


def prepare_real(folder: Path, data: Path, pairs: int | None, model: Path) -> None:
    """Write pairs in the tokens of `model`, spread over the problems, and a link to it."""
    from transformers import AutoTokenizer

    tokens = tokenized(*recorded_versions(data), AutoTokenizer.from_pretrained(model))
    if pairs is not None:
        tokens = tokens.gather_every(max(len(tokens) // pairs, 1)).head(pairs)
    tables.write_table(tokens, tables.TOKENIZED_PAIRS, folder / PAIRS)
    (folder / MODEL).symlink_to(model.resolve())


def recorded_versions(data: Path) -> tuple[Recorded, pl.DataFrame]:
    """What `data` holds, and tables.VERSIONS by its own verdicts."""
    recorded = read_trajectories(sorted(data.glob("*.jsonl.gz")))
    last = pl.col("round") == pl.col("round").max().over("trajectory_id")
    versions = recorded.versions.join(recorded.claims, on="trajectory_id").with_columns(
        verdict=pl.when(last & pl.col("is_solved"))
        .then(pl.lit(Verdict.PASSED.value))
        .otherwise(pl.lit(Verdict.WRONG_ANSWER.value)),
        error_type=pl.lit(""),
        feedback=pl.lit(""),
    )
    return recorded, versions


def tokenized(recorded: Recorded, versions: pl.DataFrame, tokenizer: Any) -> pl.DataFrame:
    """tables.TOKENIZED_PAIRS of all pairs."""
    problems = pl.DataFrame(
        [
            problem.model_dump(mode="json") | {"tests": problem.tests.model_dump_json()}
            for problem in recorded.problems
        ],
        schema=tables.PROBLEMS,
    )
    config = PairConfig()
    built = build_pairs(versions.select(list(tables.VERSIONS)), problems, config)
    return tokenize_pairs(built, tokenizer, config).table


def compare_losses(folder: Path, batch: int, micro: int, threads: int) -> bool:
    """Print both sides' losses over 5 steps on one batch; whether they agree to TOLERANCE."""
    agree = True
    base = Run("reference", str(folder), batch=batch, micro=micro, epochs=5, rate=1e-3)
    measure(base, threads)
    for recipe in ("dpo", "rpo"):
        run = replace(base, recipe=recipe)
        mine = measure(replace(run, who="ours"), threads)["losses"]
        theirs = measure(replace(run, who="trl", micro=batch), threads)["losses"]
        apart = [abs(a - b) for a, b in zip(mine, theirs, strict=True)]
        for who, losses in (("ours", mine), ("trl", theirs)):
            print(f"{who:<5}{recipe:<5}" + " ".join(f"{loss:.7f}" for loss in losses), flush=True)
        # The first dpo loss is log 2 whatever the tokens; later ones, at trained weights, are not.
        print(f"{'':<10}" + " ".join(f"{value:.1e}  " for value in apart), flush=True)
        agree &= max(apart) <= TOLERANCE
    return agree


def compare_speed(
    base: Run,
    peer_micro: int,
    measured: Callable[[Run], dict[str, Any]],
    targets: dict[str, float],
    judged: tuple[str, ...],
) -> bool:
    """Print what each side costs and how they compare; whether `judged` recipes meet `targets`."""
    show("reference pass", measured(base))
    mine: dict[str, dict[str, Any]] = {}
    for recipe in ("focal_rpo", "rpo"):
        run = replace(base, who="ours", recipe=recipe)
        mine[recipe] = show(run.name, measured(run))
        show_tokens(run)
    met = True
    for kind, target in targets.items():
        peer = replace(base, who="trl", precompute=kind == "precomputed", micro=peer_micro)
        theirs = show(peer.name, measured(peer))
        for recipe, found in mine.items():
            faster, leaner = theirs["wall"] / found["wall"], theirs["peak"] / found["peak"]
            print(
                f"  {recipe} against it: {faster:.2f}x the pairs/s (target {target:.0f}x), "
                f"{theirs['cpu'] / found['cpu']:.2f}x by cpu, {1 / leaner:.2f} of the memory",
                flush=True,
            )
            met &= recipe not in judged or (faster >= target and leaner >= 2)
    return met


def measured_once(run: Run, threads: int, keep: Path | None) -> dict[str, Any]:
    """What `run` costs, or what an earlier call of this script found and left in `keep`."""
    file = None if keep is None else keep / f"{run.name}.json"
    if file is not None and file.is_file():
        return json.loads(file.read_text())
    found = measure(run, threads)
    if file is not None:
        file.write_text(json.dumps(found))
    return found


def show_tokens(run: Run) -> None:
    """Print how many tokens a pair takes in our rows, and how many elsewhere."""
    folder, recipe = Path(run.folder), recipe_named(run.recipe)
    config = config_of(run)
    pairs = packed_pairs(pl.read_parquet(folder / PAIRS), None, folder / MODEL, recipe, config)
    work = work_of(pairs, config, Attention.DENSE)
    print(
        f"  tokens a pair: {work.tokens / work.trained_pairs:,.0f} computed, "
        f"{work.padded / work.pairs:,.0f} padded to the longer side, "
        f"{work.prompt_shared / work.pairs:,.0f} sharing the prompt alone",
        flush=True,
    )


def show(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """Print one line of what was measured."""
    print(
        f"{name:<20}{1 / found['wall']:6.2f} pairs/s  {found['cpu']:6.3f} cpu s/pair  "
        f"peak {found['peak']:,.0f} MB",
        flush=True,
    )
    return found


def main() -> None:
    """Measure and print; exit status 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of *.jsonl.gz")
    parser.add_argument("--pairs", type=int, help="how many pairs; all without")
    parser.add_argument("--micro", type=int, default=1, help="pairs in one of our forward passes")
    parser.add_argument("--peer-micro", type=int, default=8, help="pairs in one of trl's")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", type=Path, help="folder of a real model to train")
    parser.add_argument("--batch", type=int, default=8, help="pairs of a step")
    parser.add_argument("--precision", type=Precision, default=Precision.FLOAT32)
    parser.add_argument("--keep", type=Path, help="folder for what was measured and prepared")
    parser.add_argument("--parity", action="store_true", help="compare losses instead")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(given.keep or name)
        if given.parity:
            prepare(folder, given.data, 8, COMPARED)
            met = compare_losses(folder, 8, given.micro, given.threads)
            sys.exit(not met)
        folder.mkdir(exist_ok=True)
        if given.model is None:
            targets, judged = TARGETS, ("focal_rpo", "rpo")
        else:
            targets, judged = TARGETS_OF_FOCAL, ("focal_rpo",)
        if not (folder / PAIRS).is_file():
            if given.model is None:
                prepare(folder, given.data, given.pairs, MEASURED)
            else:
                prepare_real(folder, given.data, given.pairs, given.model)
        base = Run(
            "reference",
            str(folder),
            batch=given.batch,
            micro=given.micro,
            precision=given.precision,
        )
        measured = partial(measured_once, threads=given.threads, keep=given.keep)
        met = compare_speed(base, given.peer_micro, measured, targets, judged)
    sys.exit(not met)


if __name__ == "__main__":
    main()
