"""The trainer on a GPU: matrix rate, loss parity, speed and memory beside trl 1.16.0, as JSON.

    python measurements/gpu.py prepare pairs.parquet --data FOLDER_OF_LLMDEBUGGER_TRAJECTORIES
    python measurements/gpu.py measure pairs.parquet results.json            # on the card
    python measurements/gpu.py measure pairs.parquet results.json --tiny     # on a CPU

`prepare` writes 64 real debugging pairs, each stretched to 2,048 tokens on its longer side, so that
prompt, common prefix and D- keep their shares; the tokens are random. `measure` needs no more than
eight minutes on one H100: every run is a process of its own that may fail or be stopped at its
time limit, and whatever happened is in the results. It needs torch, transformers, accelerate,
polars, pydantic and, for its runs, torchao (8-bit optimizer) and trl with datasets.

The share of the card's matrix rate counts the multiplications that the weights need for the tokens
computed, 2 forward and 4 backward, and not those that checkpointing repeats.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gpu_runs import SHAPES, Case

BYTES_OF_MIXED = 16
"""A parameter's bytes in mixed precision: weight, gradient and two moments in float32."""
_PACKAGES = ("torch", "triton", "transformers", "accelerate", "torchao", "trl", "polars")


def cases(*, tiny: bool) -> list[Case]:
    """The runs, the most telling first."""
    small, large = ("tiny", "tiny") if tiny else ("0.5B", "7B")
    eight = Case(
        "7B 8-bit", "ours", shape=large, optimizer="adamw_8bit", checkpointing=False,
        compiled=True, timeout=120,
    )  # fmt: skip
    peer = replace(
        eight, who="trl", recipe="rpo", optimizer="adamw", precompute=True, checkpointing=True
    )
    half = Case("0.5B", "ours", shape=small, batch=16, micro=4, steps=6)
    # One pair a row in both passes, so that policy and reference round alike.
    parity = replace(half, rate=1e-5, batch=8, micro=1, checkpointing=False, reference_tokens=1)
    runs = [
        Case("matrix rate", "rate", timeout=60),
        replace(eight, name="7B focal_rpo"),
        replace(peer, name="7B trl rpo precomputed", steps=4),
        replace(eight, name="7B rpo", recipe="rpo"),
        replace(half, name="0.5B focal_rpo", compiled=True),
        replace(half, name="0.5B trl rpo online", who="trl", recipe="rpo"),
        replace(half, name="0.5B trl rpo precomputed", who="trl", recipe="rpo", precompute=True),
        replace(half, name="0.5B rpo", recipe="rpo", compiled=True),
        replace(parity, name="parity float32", precision="float32", attention="sdpa"),
        replace(parity, name="parity mixed_bfloat16", precision="mixed_bfloat16"),
        replace(parity, name="parity bfloat16 8-bit", optimizer="adamw_8bit"),
        replace(eight, name="7B focal_rpo two pairs a pass", micro=2),
        replace(eight, name="7B focal_rpo checkpointed", checkpointing=True, micro=4),
        replace(eight, name="7B focal_rpo not compiled", compiled=False),
        replace(half, name="0.5B focal_rpo not compiled"),
    ]
    if tiny:
        runs = [replace(run, batch=2, micro=1, steps=3, attention="sdpa") for run in runs]
    return runs


def measure(pairs: Path, out: Path, runs: list[Case], budget: float) -> None:
    """Write what every one of `runs` measured, within `budget` seconds, after each of them."""
    end = time.monotonic() + budget
    results: dict[str, Any] = {"machine": machine(), "runs": {}}
    for run in runs:
        left = end - time.monotonic()
        case = replace(run, pairs=str(pairs), timeout=min(run.timeout, left))
        started = time.monotonic()
        found = run_apart(case) if left > 0 else {"failed": "no time was left"}
        found["process_seconds"] = time.monotonic() - started
        results["runs"][run.name] = found
        print(f"{run.name:<34}{_line(found, _rate(results))}", flush=True)
        out.write_text(json.dumps(summarized(results), indent=1))


def run_apart(case: Case) -> dict[str, Any]:
    """What a process of its own measured, or how it failed."""
    command = [sys.executable, str(Path(__file__).with_name("gpu_runs.py"))]
    environment = os.environ | {"TQDM_DISABLE": "1", "PYTHONUNBUFFERED": "1"}
    environment.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    try:
        done = subprocess.run(
            [*command, json.dumps(asdict(case))],
            env=environment, capture_output=True, text=True, timeout=case.timeout,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        told = error.stderr.decode() if error.stderr else ""
        return {"case": asdict(case), "failed": f"over {case.timeout:.0f} s", "log": told[-3000:]}
    if done.returncode:
        last = done.stderr.strip().splitlines()
        return {"case": asdict(case), "failed": last[-1] if last else f"exit {done.returncode}",
                "log": done.stderr[-6000:]}  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def machine() -> dict[str, Any]:
    """The card and the versions of what ran on it."""
    import torch

    card = "CPU"
    memory = 0
    if torch.cuda.is_available():
        card = torch.cuda.get_device_name()
        memory = torch.cuda.get_device_properties(0).total_memory
    return {
        "card": card,
        "card_bytes": memory,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def summarized(results: dict[str, Any]) -> dict[str, Any]:
    """`results` and what follows from several runs: ratios, shares, distances of losses."""
    runs = {name: found for name, found in results["runs"].items() if "failed" not in found}
    rate = _rate(results)
    summary: dict[str, Any] = {}
    if rate:
        summary["share_of_matrix_rate"] = {
            name: found["operations_a_pair"] * found["pairs_a_second"] / rate
            for name, found in runs.items()
            if "operations_a_pair" in found
        }
    summary["times_trl"] = {
        f"{mine} / {theirs}": runs[mine]["pairs_a_second"] / runs[theirs]["pairs_a_second"]
        for theirs in runs
        if " trl " in theirs
        for mine in runs
        if mine.split()[0] == theirs.split()[0] and " trl " not in mine
    }
    exact = runs.get("parity float32")
    if exact:
        summary["furthest_loss_from_float32"] = {
            name: max(abs(a - b) for a, b in zip(exact["losses"], found["losses"], strict=True))
            for name, found in runs.items()
            if name.startswith("parity")
        }
    shape = SHAPES["7B"]
    summary["mixed_precision_at_7B"] = {
        "bytes": BYTES_OF_MIXED * parameters(shape),
        "card_bytes": results["machine"]["card_bytes"],
    }
    return results | {"summary": summary}


def parameters(shape: dict[str, Any]) -> int:
    """Weights of a Qwen2 shape, its biases and norms included."""
    hidden, kept = shape["hidden_size"], shape["num_key_value_heads"]
    heads = hidden // shape["num_attention_heads"] * kept
    attention = 2 * hidden * (hidden + heads) + hidden + 2 * heads
    layer = attention + 3 * hidden * shape["intermediate_size"] + 2 * hidden
    tables = 1 if shape["tie_word_embeddings"] else 2
    embedded = tables * shape["vocab_size"] * hidden
    return embedded + shape["num_hidden_layers"] * layer + hidden


def _rate(results: dict[str, Any]) -> float | None:
    return results["runs"].get("matrix rate", {}).get("matrix_operations_a_second")


def _line(found: dict[str, Any], rate: float | None) -> str:
    if "failed" in found:
        return f"failed: {found['failed'][:200]} ({found['process_seconds']:.0f} s)"
    if "matrix_operations_a_second" in found:
        copied = found["copied_bytes_a_second"] / 1e12
        return f"{found['matrix_operations_a_second'] / 1e12:.0f} TFLOP/s, {copied:.2f} TB/s"
    share = ""
    if rate and "operations_a_pair" in found:
        share = f"{found['operations_a_pair'] * found['pairs_a_second'] / rate:.1%} of the rate, "
    return (
        f"{found['pairs_a_second']:.3f} pairs/s, {share}peak {found['peak_bytes'] / 2**30:.1f} GiB,"
        f" first step {found['step_seconds'][0]:.1f} s, {found['process_seconds']:.0f} s in all"
    )


def main() -> None:
    """Prepare or measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("act", choices=("prepare", "measure"))
    parser.add_argument("pairs", type=Path, help="the Parquet file of pairs")
    parser.add_argument("out", type=Path, nargs="?", help="the JSON file of results")
    parser.add_argument("--data", type=Path, help="folder of *.jsonl.gz, for prepare")
    parser.add_argument("--tiny", action="store_true", help="the tiny shape")
    parser.add_argument("--only", default="", help="names of runs, separated by commas")
    parser.add_argument("--budget", type=float, default=480, help="seconds for all runs")
    given = parser.parse_args()
    if given.act == "prepare":
        from gpu_pairs import prepare

        prepare(given.pairs, given.data)
        return
    wanted = [name for name in given.only.split(",") if name]
    runs = cases(tiny=given.tiny)
    measure(
        given.pairs.resolve(),
        given.out,
        [run for name in wanted for run in runs if run.name == name] or runs,
        given.budget,
    )


if __name__ == "__main__":
    main()
