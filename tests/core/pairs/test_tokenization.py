import polars as pl
import pytest
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from iterpref_assets.core import tables
from iterpref_assets.core.engines.checkpoint import Turns
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.tokenization import tokenize_pairs
from iterpref_assets.core.prompts import fenced, problem_conversation

CHOSEN = "def f(a):\n    if a:\n        return 1\n    return a"
REJECTED = "def f(a):\n    if a :\n\n        return 1\n    return None"
PAIR = {
    "pair_id": "p/0:0-1",
    "trajectory_id": "p/0",
    "problem_id": "p",
    "prompt": "Do p.",
    "chosen": CHOSEN,
    "rejected": REJECTED,
    "chosen_round": 1,
    "rejected_round": 0,
    "chosen_diff_lines": [1, 3],
    "rejected_diff_lines": [1, 2, 4],
    "dropped_by": None,
}


def _pairs(*rows: dict) -> pl.DataFrame:
    return pl.DataFrame([PAIR | row for row in rows], schema=tables.PAIRS)


def _masked(tokenizer, row: dict, side: str) -> str:
    ids = zip(row[f"{side}_ids"], row[f"{side}_mask"], strict=True)
    return tokenizer.decode([token for token, focal in ids if focal])


def _only_row(tokenizer, **pair) -> dict:
    return tokenize_pairs(_pairs(pair), tokenizer, PairConfig()).table.row(0, named=True)


def test_masked_tokens_decode_to_the_lines_that_differ(tokenizer):
    row = _only_row(tokenizer)
    assert _masked(tokenizer, row, "chosen") == "    if a:\n    return a\n"
    assert _masked(tokenizer, row, "rejected") == "    if a :\n\n    return None\n"


def test_ids_are_the_fenced_program_and_the_end_token(tokenizer):
    row = _only_row(tokenizer)
    assert tokenizer.decode(row["chosen_ids"]) == f"```python\n{CHOSEN}\n```<|end|>"
    assert row["chosen_ids"][-1] == tokenizer.eos_token_id
    assert row["chosen_mask"][-1] is False


def test_a_batch_gives_what_single_pairs_give(tokenizer):
    rows = [
        {"pair_id": "1"},
        {"pair_id": "2", "chosen": "x = 1", "chosen_diff_lines": [0]},
        {"pair_id": "3", "rejected": "", "rejected_diff_lines": [0]},
    ]
    whole = tokenize_pairs(_pairs(*rows), tokenizer, PairConfig()).table
    singles = [tokenize_pairs(_pairs(row), tokenizer, PairConfig()).table for row in rows]
    assert whole.equals(pl.concat(singles))
    assert whole.schema == tables.TOKENIZED_PAIRS


def test_a_control_token_spelled_out_in_a_program_is_text(tokenizer):
    row = _only_row(tokenizer, chosen="x = '<|end|>'", chosen_diff_lines=[0])
    assert row["chosen_ids"].count(tokenizer.eos_token_id) == 1
    assert _masked(tokenizer, row, "chosen") == "x = '<|end|>'\n"


SWAPPED = {
    "chosen": REJECTED,
    "rejected": CHOSEN,
    "chosen_diff_lines": PAIR["rejected_diff_lines"],
    "rejected_diff_lines": PAIR["chosen_diff_lines"],
}


@pytest.mark.parametrize(("longer", "pair"), [("rejected", {}), ("chosen", SWAPPED)])
def test_a_pair_as_long_as_allowed_is_kept_and_one_token_more_dropped(tokenizer, longer, pair):
    row = _only_row(tokenizer, **pair)
    length = len(row[f"{longer}_ids"])
    assert length == max(len(row["chosen_ids"]), len(row["rejected_ids"]))
    kept = tokenize_pairs(_pairs(pair), tokenizer, PairConfig(max_tokens=length))
    dropped = tokenize_pairs(_pairs(pair), tokenizer, PairConfig(max_tokens=length - 1))
    assert (kept.table.height, kept.pairs["dropped_by"].item()) == (1, None)
    assert (dropped.table.height, dropped.pairs["dropped_by"].item()) == (0, "too_many_tokens")


def test_a_pair_dropped_before_keeps_its_filter_and_gets_no_tokens(tokenizer):
    tokenized = tokenize_pairs(_pairs({"dropped_by": "equal_ast"}), tokenizer, PairConfig())
    assert tokenized.table.is_empty()
    assert tokenized.pairs["dropped_by"].to_list() == ["equal_ast"]


CHAT_TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def _with_template(tokenizer, template: str | None) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer.backend_tokenizer, eos_token="<|end|>", chat_template=template
    )


def test_a_prompt_is_rendered_by_the_chat_template(tokenizers):
    tokenizer = _with_template(tokenizers["greedy_bytes"], CHAT_TEMPLATE)
    assert tokenizer.decode(_only_row(tokenizer)["prompt_ids"]) == "<user>Do p.<assistant>"


FRAMED = (
    "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}\n{{ m.content }}\n<|turn|>"
    "{% else %}{{ m.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
"""As DeepSeek-Coder's: a line end before the answer, one behind it, and an end of its own."""


def test_a_program_stands_in_what_the_template_writes_around_an_answer(tokenizers):
    tokenizer = _with_template(tokenizers["qwen_like"], FRAMED)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|turn|>"]})
    row = _only_row(tokenizer)
    turns = [{"role": "user", "content": "Do p."}, {"role": "assistant", "content": fenced(CHOSEN)}]
    whole = tokenizer.apply_chat_template(turns, tokenize=False)
    assert tokenizer.decode(row["prompt_ids"] + row["chosen_ids"]) == whole
    assert row["chosen_ids"][-1] == tokenizer.convert_tokens_to_ids("<|turn|>")


def test_the_frame_moves_no_mask(tokenizers):
    tokenizer = _with_template(tokenizers["qwen_like"], FRAMED)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|turn|>"]})
    row = _only_row(tokenizer)
    assert _masked(tokenizer, row, "chosen") == "    if a:\n    return a\n"
    assert _masked(tokenizer, row, "rejected") == "    if a :\n\n    return None\n"


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, None])
def test_training_sees_the_prompt_ids_that_the_engines_saw(tokenizers, tmp_path, template):
    tokenizer = _with_template(tokenizers["gpt2_like"], template)
    tokenizer.save_pretrained(tmp_path)
    engine = Turns(tmp_path, trust_remote_code=False)
    prompt = PAIR["prompt"]
    assert _only_row(tokenizer)["prompt_ids"] == engine.encode(problem_conversation(prompt))


def test_a_tokenizer_without_end_token_is_refused():
    bare = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()))
    with pytest.raises(InputError, match="no end-of-turn token"):
        tokenize_pairs(_pairs({}), bare, PairConfig())
