"""The ids that trl's DPOTrainer has for an export of chat messages: the peer of chat_export.py.

    python measurements/chat_export_peer.py EXPORT MODEL OUT [--handbook]

EXPORT is a folder with the export in it, MODEL one with a tokenizer and its chat template. The
trainer gets a model of random weights and 16 dimensions, and is not run: it renders and tokenizes
the data when it is made. With --handbook, alignment-handbook's `get_dataset` loads EXPORT in place
of `datasets`. OUT is JSON: versions, and ids by `pair_id`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import datasets
import transformers
import trl

COLUMNS = {
    "prompt": ("prompt_ids", "prompt_input_ids"),
    "chosen": ("chosen_ids", "chosen_input_ids"),
    "rejected": ("rejected_ids", "rejected_input_ids"),
}
"""What the trainers of trl 1 and trl 0 call the ids of each part."""


def loaded(export: Path, *, handbook: bool) -> Any:
    """The export as the peer's own code loads it."""
    if not handbook:
        return datasets.load_dataset(str(export))["train"]
    from alignment import ScriptArguments, get_dataset

    return get_dataset(ScriptArguments(dataset_name=str(export)))["train"]


def main() -> None:
    """Write the ids."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("export", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--handbook", action="store_true")
    given = parser.parse_args()
    tokenizer = transformers.AutoTokenizer.from_pretrained(given.model)
    tiny = transformers.Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=1, num_key_value_heads=1,
    )  # fmt: skip
    with TemporaryDirectory() as scratch:
        transformers.Qwen2ForCausalLM(tiny).save_pretrained(f"{scratch}/tiny")
        trainer = trl.DPOTrainer(
            model=f"{scratch}/tiny",
            args=trl.DPOConfig(f"{scratch}/out", use_cpu=True, bf16=False, max_length=None),
            train_dataset=loaded(given.export, handbook=given.handbook),
            processing_class=tokenizer,
        )
    rows = {
        row["pair_id"]: {
            part: next(row[name] for name in names if name in row)
            for part, names in COLUMNS.items()
        }
        for row in trainer.train_dataset
    }
    versions = {each.__name__: each.__version__ for each in (trl, transformers, datasets)}
    given.out.write_text(json.dumps({"versions": versions, "rows": rows}), encoding="utf-8")


if __name__ == "__main__":
    main()
