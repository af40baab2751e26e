"""What trl and alignment-handbook make of `iterpref export --format messages`, id by id.

    pip install --no-deps --target data/peers/trl trl==1.16.0
    pip install --no-deps --target data/peers/handbook trl==0.19.1 transformers==4.53.3 \
        tokenizers==0.21.2 huggingface_hub==0.33.4 datasets==4.0.0 accelerate==1.9.0 \
        fsspec==2025.3.0
    git clone https://github.com/huggingface/alignment-handbook data/peers/alignment-handbook
    python measurements/chat_export.py --model FOLDER

alignment-handbook (925acdf) needs the trl of its time: it does not import beside trl 1. Each peer
loads the export and renders it by the chat template of the tokenizer in FOLDER, in a process of its
own (chat_export_peer.py). The pairs are those of the LLMDebugger trajectories, their recorded
verdicts taken as they are. Prompt, chosen and rejected are compared with the ids of
`tokenize_pairs` for the same tokenizer. A completion may differ by the blanks and end tokens that
follow the end of its turn. Prints a JSON line for each peer; exit status 1 where a pair differs
otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from masks import claimed
from published import LLMDEBUGGER
from transformers import AutoTokenizer

from iterpref_assets.core.answer_frame import answer_frame
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.formats import write_messages
from iterpref_assets.core.pairs.recorded import read_trajectories
from iterpref_assets.core.pairs.tokenization import tokenize_pairs

PEERS = Path(__file__).resolve().parents[1] / "data" / "peers"
PATHS = {
    "trl": [PEERS / "trl"],
    "handbook": [PEERS / "handbook", PEERS / "alignment-handbook" / "src"],
}
"""Where each peer lies; it goes before what is installed."""
ALIKE = ("the same ids", "blanks or end tokens after the turn")


def recorded_pairs(data: Path) -> pl.DataFrame:
    """The kept pairs of the recorded trajectories in a folder: columns of tables.PAIRS."""
    recorded = read_trajectories(sorted(data.glob("*.jsonl.gz")))
    pairs = build_pairs(claimed(recorded), problems_to_frame(recorded.problems), PairConfig())
    return pairs.filter(pl.col("dropped_by").is_null())


def read_by(peer: str, export: Path, model: Path, out: Path) -> dict[str, Any]:
    """Versions and ids of a peer, from a process that finds it before what is installed."""
    script = Path(__file__).with_name("chat_export_peer.py")
    options = ["--handbook"] if peer == "handbook" else []
    subprocess.run(
        [sys.executable, script, export, model, out, *options],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, PATHS[peer]))},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return json.loads(out.read_text(encoding="utf-8"))


def difference(mine: dict[str, Any], other: dict[str, list[int]], tokenizer: Any) -> str:
    """How the ids of one pair differ: one of ALIKE, or the part that differs."""
    if mine["prompt_ids"] != other["prompt"]:
        return "prompt"
    found = ALIKE[0]
    for side in ("chosen", "rejected"):
        ids = mine[f"{side}_ids"]
        after = other[side][len(ids) :]
        if ids[-1] != answer_frame(tokenizer).end or other[side][: len(ids)] != ids:
            return side
        if tokenizer.decode(after, skip_special_tokens=True).strip():
            return side
        found = ALIKE[1] if after else found
    return found


def main() -> None:
    """Compare, and print a JSON line for each peer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of a tokenizer")
    parser.add_argument("--data", type=Path, default=LLMDEBUGGER, help="folder of *.jsonl.gz")
    given = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(given.model)
    pairs = recorded_pairs(given.data)
    mine = {
        row["pair_id"]: row
        for row in tokenize_pairs(pairs, tokenizer, PairConfig()).table.to_dicts()
    }
    differ = False
    with TemporaryDirectory() as scratch:
        export = Path(scratch) / "export"
        export.mkdir()
        write_messages(pairs, export / "pairs.jsonl")
        for peer in PATHS:
            read = read_by(peer, export, given.model, Path(scratch) / f"{peer}.json")
            rows = read["rows"]
            found = Counter(difference(row, rows[name], tokenizer) for name, row in mine.items())
            differ = differ or not found.keys() <= set(ALIKE)
            told = {"peer": peer, **read["versions"], "pairs": len(mine), "read": len(rows)}
            print(json.dumps({**told, **found}), flush=True)
    sys.exit(int(differ))


if __name__ == "__main__":
    main()
