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


def test_an_answer_gives_the_program_that_it_holds(tmp_path):
    text = "First:\\n```python\\ndef f(): return 1\\n```\\nUse it:\\n```python\\nf()\\n```"
    lines = [f'{{"task_id": "T/0", "answer": "{each}"}}' for each in (text, "I cannot.")]
    read = read_samples(write(tmp_path, *lines), PROMPTS, {"T/0": "f"})
    assert [sample.code for sample in read.samples] == ["def f(): return 1", ""]
