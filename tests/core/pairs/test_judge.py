import asyncio
from pathlib import Path

import polars as pl
import pytest
from engine_double import OpenEngine
from shared_cases import cases

from iterpref_assets.core import tables
from iterpref_assets.core.engines.config import OpenAIConfig
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.config import JudgeConfig
from iterpref_assets.core.pairs.judge import (
    JudgeAnswer,
    JudgeOutcome,
    judge_conversation,
    judge_identity,
    judge_pair_file,
    parse_answer,
    question,
)
from iterpref_assets.core.templates import PromptTemplate

CONFIG = JudgeConfig(engine=OpenAIConfig(), model="judge")
FORM, SUBSTANCE = "Only names.\nVERDICT: FORM", "One adds.\n\nVERDICT: SUBSTANCE\n"


class ScriptedJudge(OpenEngine):
    """Answers FORM where the rejected program holds `form`; it can fall over after some answers."""

    description = "scripted judge"

    def __init__(self, answers_left: int = 100, reason: FinishReason = FinishReason.STOP) -> None:
        self.asked: list[str] = []
        self.reason = reason
        self.answers_left = answers_left

    async def generate(self, request: Request) -> Completion:
        if not self.answers_left:
            raise ConnectionError("the server is gone")
        self.answers_left -= 1
        text = request.messages[0].content
        self.asked.append(request.key)
        answer = FORM if "form =" in text else "Hm." if "odd =" in text else SUBSTANCE
        return Completion(request.key, answer, None, 9, self.reason, request.seed)


def write_pairs(folder: Path, *rejected: str, dropped_by: str | None = None) -> Path:
    rows = [
        {
            "pair_id": f"p#{number}:0-1",
            "trajectory_id": f"p#{number}",
            "problem_id": "p",
            "prompt": "Do p.",
            "chosen": "x = 1",
            "rejected": code,
            "chosen_round": 1,
            "rejected_round": 0,
            "chosen_diff_lines": [0],
            "rejected_diff_lines": [0],
            "dropped_by": dropped_by,
        }
        for number, code in enumerate(rejected)
    ]
    tables.write_table(pl.DataFrame(rows, schema=tables.PAIRS), tables.PAIRS, folder / "in.parquet")
    return folder / "in.parquet"


def judge(
    folder: Path, pairs: Path, engine: ScriptedJudge, config: JudgeConfig = CONFIG
) -> JudgeOutcome:
    return asyncio.run(
        judge_pair_file(
            pairs,
            engine,
            config,
            folder / "answers.jsonl",
            pairs_out=folder / "pairs.parquet",
            judgements_out=folder / "judgements.parquet",
        )
    )


@pytest.mark.parametrize(
    ("text", "reason", "answer"),
    [
        (FORM, FinishReason.STOP, JudgeAnswer.FORM),
        (SUBSTANCE, FinishReason.STOP, JudgeAnswer.SUBSTANCE),
        ("VERDICT: FORM", FinishReason.STOP, JudgeAnswer.FORM),
        ("", FinishReason.STOP, JudgeAnswer.NO_VERDICT),
        ("They differ in form.", FinishReason.STOP, JudgeAnswer.NO_VERDICT),
        ("VERDICT: FORM.", FinishReason.STOP, JudgeAnswer.FORM),
        ("verdict: form", FinishReason.STOP, JudgeAnswer.FORM),
        ("Names.\n**VERDICT:** SUBSTANCE", FinishReason.STOP, JudgeAnswer.SUBSTANCE),
        ("VERDICT: FORM\nAnd so:\nVERDICT: FORM", FinishReason.STOP, JudgeAnswer.FORM),
        ("- VERDICT: FORM", FinishReason.STOP, JudgeAnswer.FORM),
        ("```\nVERDICT: FORM\n```", FinishReason.STOP, JudgeAnswer.FORM),
        ("VERDICT: FORM<|im_end|>", FinishReason.STOP, JudgeAnswer.FORM),
        ("Final VERDICT: FORM", FinishReason.STOP, JudgeAnswer.FORM),
        ("VERDICT: FORM, mostly", FinishReason.STOP, JudgeAnswer.NO_VERDICT),
        ("VERDICT: FORMAL", FinishReason.STOP, JudgeAnswer.NO_VERDICT),
        ("The VERDICT: FORM", FinishReason.STOP, JudgeAnswer.NO_VERDICT),
        ("<think>Hm.\nVERDICT: FORM", FinishReason.STOP, JudgeAnswer.NO_VERDICT),
        ("VERDICT: FORM\n</think>\nVERDICT: SUBSTANCE", FinishReason.STOP, JudgeAnswer.SUBSTANCE),
        ("VERDICT: FORM\nOr is it?", FinishReason.STOP, JudgeAnswer.NO_VERDICT),
        ("VERDICT: FORM\nVERDICT: SUBSTANCE", FinishReason.STOP, JudgeAnswer.NO_VERDICT),
        ("VERDICT: FORM\u2028VERDICT: SUBSTANCE", FinishReason.STOP, JudgeAnswer.NO_VERDICT),
        (FORM.replace("\n", "\r\n"), FinishReason.STOP, JudgeAnswer.FORM),
        (FORM, FinishReason.LENGTH, JudgeAnswer.CUT_OFF),
        ("", FinishReason.PROMPT_TOO_LONG, JudgeAnswer.UNANSWERED),
        ("", FinishReason.FILTERED, JudgeAnswer.UNANSWERED),
        (FORM, FinishReason.UNAVAILABLE, JudgeAnswer.UNANSWERED),
    ],
)
def test_the_last_line_is_the_verdict_unless_another_line_says_otherwise(text, reason, answer):
    assert parse_answer(text, reason) is answer


@pytest.mark.parametrize("case", cases("judge_answers.jsonl"))
def test_an_answer_of_the_ordinary_forms_is_read(case):
    right = JudgeAnswer(case["right"].lower()) if case["right"] else JudgeAnswer.NO_VERDICT
    assert parse_answer(case["answer"], FinishReason.STOP) is right


@pytest.mark.parametrize("name_of", [lambda: judge_identity(CONFIG), lambda: question("a", "b")])
def test_an_edit_of_the_template_makes_other_questions(monkeypatch, name_of):
    before = name_of()
    template = PromptTemplate("judge_pairs", "Do $first and $second differ?")
    monkeypatch.setattr("iterpref_assets.core.pairs.judge._TEMPLATE", template)
    assert name_of() != before


def test_the_question_holds_both_programs_as_they_are():
    (message,) = judge_conversation("x = '$first'", "y = {}")
    assert "<first>\ny = {}\n</first>" in message.content
    assert "<second>\nx = '$first'\n</second>" in message.content


def test_pairs_that_differ_in_form_alone_are_dropped(tmp_path):
    pairs = write_pairs(tmp_path, "form = 1", "x = 2")
    outcome = judge(tmp_path, pairs, ScriptedJudge())
    table = tables.read_table(tmp_path / "pairs.parquet", tables.PAIRS)
    assert table["dropped_by"].to_list() == ["judged_formatting", None]
    assert (outcome.answers["form"], outcome.answers["substance"], outcome.asked) == (1, 1, 2)


def test_a_malformed_answer_is_counted_and_drops_nothing(tmp_path):
    outcome = judge(tmp_path, write_pairs(tmp_path, "odd = 1"), ScriptedJudge())
    table = tables.read_table(tmp_path / "pairs.parquet", tables.PAIRS)
    assert table["dropped_by"].to_list() == [None]
    assert outcome.answers["no_verdict"] == 1


def test_a_pair_that_another_filter_dropped_is_not_asked_about(tmp_path):
    engine = ScriptedJudge()
    judge(tmp_path, write_pairs(tmp_path, "form = 1", dropped_by="empty_focus"), engine)
    table = tables.read_table(tmp_path / "pairs.parquet", tables.PAIRS)
    assert (engine.asked, table["dropped_by"].to_list()) == ([], ["empty_focus"])


def test_equal_questions_are_asked_once(tmp_path):
    engine = ScriptedJudge()
    outcome = judge(tmp_path, write_pairs(tmp_path, "form = 1", "form = 1"), engine)
    assert (len(engine.asked), outcome.answers["form"]) == (1, 2)


def test_what_was_answered_is_not_asked_again_and_gives_the_same_table(tmp_path):
    pairs = write_pairs(tmp_path, "form = 1", "x = 2", "odd = 1")
    judge(tmp_path, pairs, ScriptedJudge())
    files = [tmp_path / "pairs.parquet", tmp_path / "judgements.parquet"]
    before = [file.read_bytes() for file in files]
    assert judge(tmp_path, pairs, ScriptedJudge(answers_left=0)).asked == 0
    assert [file.read_bytes() for file in files] == before


def test_answers_outlast_an_engine_that_falls_over(tmp_path):
    pairs = write_pairs(tmp_path, "form = 1", "x = 2", "x = 3")
    with pytest.raises(ConnectionError):
        judge(tmp_path, pairs, ScriptedJudge(answers_left=2))
    again = ScriptedJudge()
    assert judge(tmp_path, pairs, again).asked == len(again.asked) == 1


@pytest.mark.parametrize(
    ("reason", "asked_again"), [(FinishReason.FILTERED, 0), (FinishReason.UNAVAILABLE, 1)]
)
def test_a_question_without_an_answer_drops_nothing_and_is_counted_by_kind(
    tmp_path, reason, asked_again
):
    pairs = write_pairs(tmp_path, "form = 1")
    outcome = judge(tmp_path, pairs, ScriptedJudge(reason=reason))
    table = tables.read_table(tmp_path / "pairs.parquet", tables.PAIRS)
    assert table["dropped_by"].to_list() == [None]
    assert (outcome.answers["unanswered"], outcome.failures) == (1, {reason.value: 1})
    assert judge(tmp_path, pairs, ScriptedJudge()).asked == asked_again


def test_more_failures_than_the_share_end_the_judging(tmp_path):
    pairs = write_pairs(tmp_path, *(f"x = {n}" for n in range(10)))
    config = CONFIG.model_copy(update={"max_failed_share": 0.2})
    with pytest.raises(InputError, match="filtered 3") as caught:
        judge(tmp_path, pairs, ScriptedJudge(reason=FinishReason.FILTERED), config)
    assert caught.value.field == "max_failed_share"


def test_patience_makes_no_other_judge():
    patient = OpenAIConfig(max_wait_seconds=1, timeout_seconds=1, max_attempts=1)
    config = CONFIG.model_copy(update={"engine": patient, "max_failed_share": 1.0})
    assert judge_identity(config) == judge_identity(CONFIG)


def test_what_was_said_is_in_a_table_beside_the_pairs(tmp_path):
    judge(tmp_path, write_pairs(tmp_path, "form = 1"), ScriptedJudge())
    (row,) = tables.read_table(tmp_path / "judgements.parquet", tables.JUDGEMENTS).to_dicts()
    told = {name: row[name] for name in ("pair_id", "answer", "text", "engine")}
    assert told == {
        "pair_id": "p#0:0-1",
        "answer": "form",
        "text": FORM,
        "engine": "scripted judge",
    }


def test_answers_of_another_judge_are_refused(tmp_path):
    pairs = write_pairs(tmp_path, "x = 2")
    judge(tmp_path, pairs, ScriptedJudge())
    with pytest.raises(InputError, match="started with other settings"):
        judge(tmp_path, pairs, ScriptedJudge(), CONFIG.model_copy(update={"model": "another"}))
