"""trl itself reads an export of chat messages without loss of the template."""

from pathlib import Path

import polars as pl
import pytest
from chat_export import ALIKE, PATHS, difference, read_by
from transformers import AutoTokenizer

from iterpref_assets.core import tables
from iterpref_assets.core.lab.shipped import pretrained_dir
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.formats import write_messages
from iterpref_assets.core.pairs.tokenization import tokenize_pairs

PAIR = {
    "pair_id": "p#0:0-1",
    "trajectory_id": "p#0",
    "problem_id": "p",
    "prompt": "Do {p}.\n\n  Then {{ it }}.",
    "chosen": "x = {1: 2}\ny = 'π'",
    "rejected": "x = {}\ny = 'π'",
    "chosen_round": 1,
    "rejected_round": 0,
    "chosen_diff_lines": [0],
    "rejected_diff_lines": [0],
    "dropped_by": None,
}
[TRL] = PATHS["trl"]


@pytest.mark.skipif(
    not TRL.is_dir(),
    reason="needs trl apart from what is installed: "
    "pip install --no-deps --target data/peers/trl trl==1.16.0",
)
def test_trl_has_the_ids_of_our_own_tokens_for_an_export(tmp_path: Path) -> None:
    model, tokenizer = pretrained_dir(), AutoTokenizer.from_pretrained(pretrained_dir())
    pairs = pl.DataFrame([PAIR], schema=tables.PAIRS)
    export = tmp_path / "export"
    export.mkdir()
    write_messages(pairs, export / "pairs.jsonl")
    read = read_by("trl", export, model, tmp_path / "read.json")
    assert read["versions"]["trl"] == "1.16.0"
    [ours] = tokenize_pairs(pairs, tokenizer, PairConfig()).table.to_dicts()
    assert difference(ours, read["rows"]["p#0:0-1"], tokenizer) in ALIKE
