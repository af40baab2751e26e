import gzip
import json

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.samples import Sample, read_samples

PROMPTS = {"T/0": "def f():\n", "T/1": "def g():\n"}
GOOD = json.dumps({"task_id": "T/0", "solution": "def f(): return 1"})


def write(folder, *lines: str):
    path = folder / "samples.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_solution_is_a_whole_program(tmp_path):
    assert read_samples(write(tmp_path, GOOD), PROMPTS).samples == [
        Sample("T/0", 0, "def f(): return 1")
    ]


def test_a_completion_continues_the_prompt(tmp_path):
    path = write(tmp_path, json.dumps({"task_id": "T/1", "completion": "    return 2"}))
    assert read_samples(path, PROMPTS).samples == [Sample("T/1", 0, "def g():\n    return 2")]


def test_samples_of_a_task_are_numbered_in_the_order_of_the_file(tmp_path):
    other = json.dumps({"task_id": "T/1", "solution": "x"})
    samples = read_samples(write(tmp_path, GOOD, other, GOOD), PROMPTS).samples
    assert [(s.task_id, s.sample) for s in samples] == [("T/0", 0), ("T/1", 0), ("T/0", 1)]


def test_blank_lines_are_no_samples_but_count_as_lines(tmp_path):
    with pytest.raises(InputError, match=r"samples.jsonl:3: not JSON"):
        read_samples(write(tmp_path, GOOD, "", "{"), PROMPTS)


def test_a_packed_file_is_read_like_a_plain_one(tmp_path):
    path = tmp_path / "samples.jsonl.gz"
    path.write_bytes(gzip.compress(GOOD.encode()))
    assert len(read_samples(path, PROMPTS).samples) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"samples.jsonl:2: not JSON"),
        ("[" * 200_000, r"samples.jsonl:2: not JSON \(nested too deep\)"),
        ("[]", r"samples.jsonl:2: not a JSON object"),
        ('{"solution": "x"}', r"samples.jsonl:2: field 'task_id': missing"),
        ('{"task_id": "T/9", "solution": "x"}', r"samples.jsonl:2: field 'task_id': .*'T/9'"),
        ('{"task_id": "T/0"}', r"samples.jsonl:2: field 'solution': missing"),
        ('{"task_id": "T/0", "solution": 3}', r"samples.jsonl:2: field 'solution': missing or no"),
    ],
)
def test_an_invalid_line_is_named(tmp_path, line, message):
    with pytest.raises(InputError, match=message):
        read_samples(write(tmp_path, GOOD, line), PROMPTS)


def test_invalid_lines_can_be_counted_instead(tmp_path):
    read = read_samples(
        write(tmp_path, GOOD, "{", '{"task_id": "T/9"}'), PROMPTS, skip_invalid=True
    )
    assert (len(read.samples), read.invalid) == (1, 2)


def test_a_file_without_any_sample_is_refused_even_then(tmp_path):
    with pytest.raises(InputError, match="holds no sample"):
        read_samples(write(tmp_path, "{"), PROMPTS, skip_invalid=True)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent.jsonl: no such file"):
        read_samples(tmp_path / "absent.jsonl", PROMPTS)


def test_a_damaged_gzip_is_named(damaged_gzip):
    with pytest.raises(InputError, match=r"damaged\.jsonl\.gz"):
        read_samples(damaged_gzip, PROMPTS)


def test_an_answers_program_is_taken_out_and_the_answer_kept(tmp_path):
    line = {"task_id": "T/0", "completion": "It is\n```python\nx = 1\n```"}
    path = write(tmp_path, json.dumps(line))
    (sample,) = read_samples(path, PROMPTS, answers=lambda task, text: text.split("\n")[2]).samples
    assert sample.code == "x = 1"
    assert sample.answer.startswith("It is")


def test_a_folder_holds_a_program_a_file_in_the_order_of_their_numbers(tmp_path):
    (tmp_path / "T_0").mkdir()
    for number in (10, 2, 0):
        (tmp_path / "T_0" / f"{number}.py").write_text(f"x = {number}")
    file = read_samples(tmp_path, PROMPTS)
    assert [(each.task_id, each.sample, each.code) for each in file.samples] == [
        ("T/0", 0, "x = 0"),
        ("T/0", 1, "x = 2"),
        ("T/0", 2, "x = 10"),
    ]


def test_a_folder_of_no_task_is_named(tmp_path):
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="no task of the folder 'other'"):
        read_samples(tmp_path, PROMPTS)


@pytest.mark.parametrize(
    ("code", "answer", "looks"),
    [
        ("Here:\n```python\nx = 1\n```", "", True),
        ("x = '```'", "", False),
        ("not python", "", False),
        ("Here:\n```python\nx = 1\n```", "an answer", False),
    ],
)
def test_a_program_that_is_an_answer_is_told_by_its_fence(code, answer, looks):
    assert Sample("T/0", 0, code, answer).looks_fenced is looks
