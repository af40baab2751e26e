"""How pair building scales: seconds and peak memory for tables of growing length.

    python measurements/pair_scale.py --rows 60000 250000 1000000

Each size runs in a process of its own, on synthetic trajectories of about 2.5 versions of about
20 lines: versions -> pairs -> ids and masks, from Parquet to Parquet. Judging is left out. CPU
time is shown beside wall time because it does not depend on what else the machine is doing.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.streaming import TableWriter, build_pair_file, tokenize_pair_files
from iterpref_assets.core.pairs.tokenization import encode_completions
from iterpref_assets.core.sandbox.verdicts import Execution

CHUNK = 5_000
NAMES = ("total", "values", "index", "result", "best", "left", "right", "count", "text", "key")


def _line(rng: random.Random) -> str:
    a, b, c = rng.choices(NAMES, k=3)
    return rng.choice(
        (
            f"    {a} = {b} + {c} * {rng.randrange(100)}",
            f"    if {a} > {rng.randrange(100)}:\n        {b} = max({b}, {c})",
            f"    for {a} in range({rng.randrange(9)}):\n        {b}.append({c}[{a}])",
            f"    # keep the {a} beside the {b}",
            f"    {a} = [{b} for {b} in {c} if {b} % {rng.randrange(2, 9)} == 0]",
        )
    )


def _program(lines: list[str]) -> str:
    return "\n".join(["def solve(values, key):", *lines, "    return result"])


def _chunk(start: int, count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    versions, problems = [], []
    for number in range(start, start + count):
        rng = random.Random(number)
        name = f"synthetic/{number:08}"
        problems.append({"problem_id": name, "prompt": f"Solve task {number}: " + _line(rng) * 6})
        lines = [_line(rng) for _ in range(rng.randrange(8, 20))]
        rounds = rng.randrange(1, 5)
        solved = rng.random() < 0.67
        for round_ in range(rounds):
            versions.append(
                {
                    "trajectory_id": f"{name}#0",
                    "problem_id": name,
                    "sample": 0,
                    "round": round_,
                    "code": _program(lines),
                    "verdict": "passed" if solved and round_ == rounds - 1 else "wrong_answer",
                }
            )
            for _ in range(rng.randrange(1, 4)):
                lines[rng.randrange(len(lines))] = _line(rng)
    return pl.DataFrame(versions, tables.VERSIONS), pl.DataFrame(problems, tables.PROBLEMS)


def _write_inputs(folder: Path, trajectories: int) -> None:
    """Each chunk holds the same programs under new names, which spares the time to make them."""
    chunk = _chunk(0, CHUNK)
    with (
        TableWriter(folder / "versions.parquet", tables.VERSIONS) as versions,
        TableWriter(folder / "problems.parquet", tables.PROBLEMS) as problems,
    ):
        for number in range(trajectories // CHUNK):
            versions.write(
                chunk[0].with_columns(
                    pl.format(f"{number:05}/{{}}", pl.col(name)).alias(name)
                    for name in ("trajectory_id", "problem_id")
                )
            )
            problems.write(
                chunk[1].with_columns(
                    pl.format(f"{number:05}/{{}}", pl.col("problem_id")).alias("problem_id")
                )
            )


def _train_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=32_000, special_tokens=["<|end|>"], show_progress=False
    )
    tokenizer.train_from_iterator(_chunk(0, 2_000)[0]["code"], trainer)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>")
    wrapped.save_pretrained(folder / "tokenizer")


def _judge_nothing(code: str, _: object) -> Execution:
    raise AssertionError(f"a program has lines that no test reaches: {code}")


def _measure(folder: Path) -> dict[str, float]:
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer")
    encode_completions(["warm = 1"], tokenizer)
    config = PairConfig()
    times = [time.perf_counter()]
    started = time.process_time()
    build_pair_file(
        folder / "versions.parquet",
        folder / "problems.parquet",
        config,
        folder / "built.parquet",
        judge=_judge_nothing,
    )
    times.append(time.perf_counter())
    tokenize_pair_files(
        [folder / "built.parquet"],
        tokenizer,
        config,
        pairs_out=folder / "pairs.parquet",
        tokens_out=folder / "tokens.parquet",
    )
    times.append(time.perf_counter())
    pairs = pl.scan_parquet(folder / "pairs.parquet")
    tokens = pl.scan_parquet(folder / "tokens.parquet")
    return {
        "candidates": pairs.select(pl.len()).collect().item(),
        "kept": tokens.select(pl.len()).collect().item(),
        "build_s": times[1] - times[0],
        "tokenize_s": times[2] - times[1],
        "cpu_s": time.process_time() - started,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Measure every size asked for and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[60_000, 250_000], help="multiples of 5000"
    )
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(_measure(arguments.measure)))
        return
    print("trajectories  candidates      kept   build s  tokenize s   CPU s  peak MiB  CPU us/row")
    for trajectories in arguments.rows:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _write_inputs(folder, trajectories)
            _train_tokenizer(folder)
            # The generator's memory must not count: the measured process only reads files.
            command = [sys.executable, __file__, "--measure", name]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
            figures = json.loads(output)
        print(
            f"{trajectories:12,} {figures['candidates']:11,} {figures['kept']:9,}"
            f" {figures['build_s']:9.1f} {figures['tokenize_s']:11.1f} {figures['cpu_s']:7.1f}"
            f" {figures['peak_mib']:9,.0f} {1e6 * figures['cpu_s'] / trajectories:11.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
