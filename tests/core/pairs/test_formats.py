import json

import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.digests import digest_json
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.formats import (
    read_target_dpo,
    write_messages,
    write_target_dpo,
    write_trl,
)
from iterpref_assets.core.pairs.tokenization import tokenize_pairs
from iterpref_assets.core.training.heldout import problem_of

PAIR = {
    "pair_id": "p#0:0-1",
    "trajectory_id": "p#0",
    "problem_id": "p",
    "prompt": "Do {p}.",
    "chosen": "x = {1: 2}\ny = 'π'",
    "rejected": "x = {}\ny = 'π'",
    "chosen_round": 1,
    "rejected_round": 0,
    "chosen_diff_lines": [0],
    "rejected_diff_lines": [0],
    "dropped_by": None,
}
DROPPED = PAIR | {"pair_id": "q#0:0-1", "dropped_by": "equal_ast"}
PAIRS = pl.DataFrame([PAIR, DROPPED], schema=tables.PAIRS)


def test_the_authors_format_holds_kept_pairs_as_fenced_blocks(tmp_path):
    assert write_target_dpo(PAIRS, tmp_path / "dpo.json") == 1
    assert json.loads((tmp_path / "dpo.json").read_text()) == [
        {
            "prompt": "Do {p}.",
            "chosen": "```python\nx = {1: 2}\ny = 'π'\n```",
            "rejected": "```python\nx = {}\ny = 'π'\n```",
        }
    ]


def test_what_is_written_in_the_authors_format_reads_back(tmp_path):
    write_target_dpo(PAIRS, tmp_path / "dpo.json")
    row = read_target_dpo(tmp_path / "dpo.json", PairConfig()).row(0, named=True)
    same = ("prompt", "chosen", "rejected", "chosen_diff_lines", "rejected_diff_lines")
    assert {name: row[name] for name in same} == {name: PAIR[name] for name in same}
    assert row["problem_id"] == "target-dpo/" + digest_json(PAIR["prompt"])[:12]
    assert row["pair_id"] == f"{row['problem_id']}#0:0-1"


def test_pairs_of_one_prompt_are_of_one_problem(tmp_path):
    pair = {"chosen": "x = 1", "rejected": "x = 2"}
    entries = [{"prompt": prompt, **pair} for prompt in ("A.", "B.", "A.")]
    (tmp_path / "dpo.json").write_text(json.dumps(entries))
    pairs = read_target_dpo(tmp_path / "dpo.json", PairConfig())
    first, other, again = (problem_of(name) for name in pairs["pair_id"])
    assert first == again != other
    assert pairs["pair_id"].n_unique() == 3


def test_a_program_that_reads_its_input_is_read_whole(tmp_path):
    program = "def main():\n    print(int(input()) + {n})\n\nif __name__ == '__main__':\n    main()"
    entry = {"prompt": "Add.", "chosen": program.format(n=1), "rejected": program.format(n=2)}
    (tmp_path / "dpo.json").write_text(json.dumps([entry]))
    row = read_target_dpo(tmp_path / "dpo.json", PairConfig()).row(0, named=True)
    assert (row["chosen"], row["rejected"]) == (entry["chosen"], entry["rejected"])


def test_filters_apply_to_pairs_that_are_read(tmp_path):
    entry = {"prompt": "Do.", "chosen": "```python\nx = 1\n```", "rejected": "x=1"}
    (tmp_path / "dpo.json").write_text(json.dumps([entry]))
    pairs = read_target_dpo(tmp_path / "dpo.json", PairConfig())
    assert pairs["dropped_by"].to_list() == ["equal_ast"]


def test_a_missing_field_is_named_with_its_entry(tmp_path):
    (tmp_path / "dpo.json").write_text(json.dumps([{"prompt": "Do.", "chosen": "x"}]))
    with pytest.raises(InputError, match=r"dpo\.json: field '0\.rejected'"):
        read_target_dpo(tmp_path / "dpo.json", PairConfig())


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_masks_are_read_by_datasets_as_they_were_built(tmp_path, tokenizer, suffix):
    import datasets

    tokenized = tokenize_pairs(PAIRS, tokenizer, PairConfig())
    out = tmp_path / f"trl.{suffix}"
    assert write_trl(tokenized.pairs, tokenized.table, out) == 1
    kind = {"parquet": "parquet", "jsonl": "json"}[suffix]
    rows = datasets.load_dataset(
        kind, data_files=str(out), split="train", cache_dir=str(tmp_path / "cache")
    )
    expected = tokenized.table.drop("pair_id").row(0, named=True)
    chosen, rejected = "```python\nx = {1: 2}\ny = 'π'\n```", "```python\nx = {}\ny = 'π'\n```"
    assert rows[0] == {
        "prompt": [{"role": "user", "content": "Do {p}."}],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
        **expected,
    }


def test_tokens_of_another_table_are_refused(tmp_path, tokenizer):
    tokens = tokenize_pairs(PAIRS, tokenizer, PairConfig()).table
    with pytest.raises(InputError, match="not among the pairs"):
        write_trl(PAIRS.filter(pl.col("pair_id") == "q#0:0-1"), tokens, tmp_path / "trl.jsonl")


def test_an_unknown_file_type_is_refused_before_anything_is_written(tmp_path, tokenizer):
    tokens = tokenize_pairs(PAIRS, tokenizer, PairConfig()).table
    with pytest.raises(InputError, match=r"\.parquet or \.jsonl"):
        write_trl(PAIRS, tokens, tmp_path / "trl.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["pairs.parquet", "pairs.jsonl"])
def test_messages_are_one_turn_each_with_the_lines_of_the_difference(tmp_path, name):
    assert write_messages(PAIRS, tmp_path / name) == 1
    read = pl.read_parquet if name.endswith("parquet") else pl.read_ndjson
    (row,) = read(tmp_path / name).to_dicts()
    assert row["prompt"] == [{"role": "user", "content": "Do {p}."}]
    assert row["rejected"] == [{"role": "assistant", "content": "```python\nx = {}\ny = 'π'\n```"}]
    assert (row["pair_id"], row["chosen_diff_lines"]) == ("p#0:0-1", [0])


def lab_tokenizer():
    from transformers import AutoTokenizer

    from iterpref_assets.core.lab.shipped import pretrained_dir

    return AutoTokenizer.from_pretrained(pretrained_dir())


@pytest.mark.parametrize("name", ["pairs.parquet", "pairs.jsonl"])
def test_messages_that_datasets_loads_give_our_ids_by_the_template(tmp_path, name):
    """As trl's scripts and alignment-handbook load a folder; measurements/chat_export.py asks them.

    The chat template is the lab's.
    """
    import datasets

    tokenizer = lab_tokenizer()
    (tmp_path / "export").mkdir()
    write_messages(PAIRS, tmp_path / "export" / name)
    (ours,) = tokenize_pairs(PAIRS, tokenizer, PairConfig()).table.to_dicts()
    (row,) = datasets.load_dataset(str(tmp_path / "export"), cache_dir=str(tmp_path / "cache"))[
        "train"
    ]
    # As TRL does: the prompt with the generation prompt, then what the completion adds to it.
    prompt = tokenizer.apply_chat_template(
        row["prompt"], add_generation_prompt=True, tokenize=False
    )
    assert tokenizer(prompt, add_special_tokens=False).input_ids == ours["prompt_ids"]
    for side in ("chosen", "rejected"):
        whole = tokenizer.apply_chat_template(row["prompt"] + row[side], tokenize=False)
        assert whole.startswith(prompt)
        ids = tokenizer(whole.removeprefix(prompt), add_special_tokens=False).input_ids
        assert ids[: len(ours[f"{side}_ids"])] == ours[f"{side}_ids"]
        assert tokenizer.decode(ids[len(ours[f"{side}_ids"]) :]).strip() == ""
