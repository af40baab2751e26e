import logging
from pathlib import Path

import polars as pl
import pytest
from transformers import PreTrainedTokenizerFast

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs import streaming
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.tokenization import tokenize_pairs
from iterpref_assets.core.records import Case, FunctionTests
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

CONFIG = PairConfig(max_tokens=80)


def judge_nothing(*_: object) -> Execution:
    """No program here has lines that its tests do not reach."""
    raise AssertionError("a program was judged")


def _write_inputs(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Thirty problems with trajectories of one to four versions, some of them too long."""
    versions, problems = [], []
    for number in range(30):
        problem_id = f"p{number:02}"
        problems.append({"problem_id": problem_id, "prompt": f"Do {number}."})
        rounds = 1 + number % 4
        for round_ in range(rounds):
            code = f"def f(a):\n    return {round_}" + "\n    # and so on" * (number // 2)
            verdict = "passed" if round_ == rounds - 1 and number % 7 else "wrong_answer"
            versions.append(
                {
                    "trajectory_id": f"{problem_id}#0",
                    "problem_id": problem_id,
                    "sample": 0,
                    "round": round_,
                    "code": code,
                    "verdict": verdict,
                }
            )
    frames = (
        pl.DataFrame(versions, schema=tables.VERSIONS),
        pl.DataFrame(problems, schema=tables.PROBLEMS),
    )
    frames[0].write_parquet(folder / "versions.parquet")
    frames[1].write_parquet(folder / "problems.parquet")
    return frames


def _stream(folder: Path, tokenizer) -> tuple[pl.DataFrame, pl.DataFrame]:
    streaming.build_pair_file(
        folder / "versions.parquet",
        folder / "problems.parquet",
        CONFIG,
        folder / "built.parquet",
        judge=judge_nothing,
    )
    streaming.tokenize_pair_files(
        [folder / "built.parquet"],
        tokenizer,
        CONFIG,
        pairs_out=folder / "pairs.parquet",
        tokens_out=folder / "tokens.parquet",
    )
    return (
        tables.read_table(folder / "pairs.parquet", tables.PAIRS),
        tables.read_table(folder / "tokens.parquet", tables.TOKENIZED_PAIRS),
    )


@pytest.mark.parametrize("rows", [1, 2, 5, 1000])
def test_batches_of_any_size_give_the_table_built_at_once(tmp_path, tokenizer, monkeypatch, rows):
    versions, problems = _write_inputs(tmp_path)
    whole = tokenize_pairs(build_pairs(versions, problems, CONFIG), tokenizer, CONFIG)
    assert {None, "too_many_tokens"} <= set(whole.pairs["dropped_by"])
    monkeypatch.setattr(streaming, "ROWS", rows)
    pairs, tokens = _stream(tmp_path, tokenizer)
    assert pairs.equals(whole.pairs)
    assert tokens.equals(whole.table)


REASONING = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% else %}<assistant>"
    "{{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<assistant><think>{% endif %}"
)


def test_that_a_prompt_opens_reasoning_is_told_once_however_many_batches_there_are(
    tmp_path, tokenizers, monkeypatch, caplog
):
    _write_inputs(tmp_path)
    opening = PreTrainedTokenizerFast(
        tokenizer_object=tokenizers["qwen_like"].backend_tokenizer,
        eos_token="<|end|>",
        chat_template=REASONING,
    )
    monkeypatch.setattr(streaming, "ROWS", 5)
    with caplog.at_level(logging.WARNING, "iterpref"):
        _, tokens = _stream(tmp_path, opening)
    assert [record.getMessage()[:37] for record in caplog.records] == [
        "the chat template opens reasoning in "
    ]
    assert opening.decode(tokens["prompt_ids"][0]).endswith("<assistant>")


def test_every_row_is_reported_once(tmp_path):
    versions, _ = _write_inputs(tmp_path)
    seen: list[int] = []
    streaming.build_pair_file(
        tmp_path / "versions.parquet",
        tmp_path / "problems.parquet",
        CONFIG,
        tmp_path / "out.parquet",
        judge=judge_nothing,
        on_rows=seen.append,
    )
    assert sum(seen) == versions.height == streaming.row_count(tmp_path / "versions.parquet")


def test_rows_out_of_order_are_refused(tmp_path):
    versions, _ = _write_inputs(tmp_path)
    versions.reverse().write_parquet(tmp_path / "versions.parquet")
    with pytest.raises(InputError, match="not in order"):
        list(streaming.problem_batches(tmp_path / "versions.parquet"))


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.parquet"):
        list(streaming.problem_batches(tmp_path / "nowhere.parquet"))


def test_a_file_that_is_no_table_is_named(tmp_path):
    (tmp_path / "notes.parquet").write_text("hello")
    with pytest.raises(InputError, match=r"notes\.parquet: not a readable Parquet file"):
        list(streaming.problem_batches(tmp_path / "notes.parquet"))


def test_an_empty_table_gives_no_batch(tmp_path):
    pl.DataFrame(schema=tables.VERSIONS).write_parquet(tmp_path / "versions.parquet")
    assert list(streaming.problem_batches(tmp_path / "versions.parquet")) == []


def test_programs_are_paired_without_what_their_tests_do_not_reach(tmp_path):
    tests = FunctionTests(entry_point="f", cases=(Case(arguments="()", expected="1"),))
    _, problems = _write_inputs(tmp_path)
    problems = problems.with_columns(tests=pl.lit(tests.model_dump_json()))
    problems.write_parquet(tmp_path / "problems.parquet")
    versions = pl.read_parquet(tmp_path / "versions.parquet")
    shown = pl.format("{}\nprint({})", "code", "round")
    versions.with_columns(code=shown).write_parquet(tmp_path / "versions.parquet")
    streaming.build_pair_file(
        tmp_path / "versions.parquet",
        tmp_path / "problems.parquet",
        CONFIG,
        tmp_path / "out.parquet",
        judge=lambda code, _: Execution(
            Verdict.WRONG_ANSWER if "return 0" in code else Verdict.PASSED
        ),
    )
    pairs = tables.read_table(tmp_path / "out.parquet", tables.PAIRS)
    assert not pairs.is_empty()
    assert not any("print" in code for code in [*pairs["chosen"], *pairs["rejected"]])
