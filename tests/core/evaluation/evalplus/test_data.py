import gzip
import json
import subprocess
import sys

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.evalplus.data import (
    EvalPlusBenchmark,
    load_evalplus,
    load_evalplus_again,
)

FILES = [("humaneval", "HumanEvalPlus"), ("mbpp", "MbppPlus")]


@pytest.mark.parametrize(
    ("benchmark", "file", "tasks", "md5"),
    [
        ("humaneval", "HumanEvalPlus", 164, "fe585eb4df8c88d844eeb463ea4d0302"),
        ("mbpp", "MbppPlus", 378, "ee43ecabebf20deef4bb776a405ac5b1"),
    ],
)
def test_the_checksum_is_the_one_that_evalplus_publishes(shared_data, benchmark, file, tasks, md5):
    data = load_evalplus(
        EvalPlusBenchmark(benchmark), shared_data / "benchmarks" / f"{file}.jsonl.gz"
    )
    assert (len(data.problems), data.md5) == (tasks, md5)


def test_mbpp_inputs_pass_through_the_deserializer(shared_data):
    data = load_evalplus(EvalPlusBenchmark.MBPP, shared_data / "benchmarks" / "MbppPlus.jsonl.gz")
    assert data.problems["Mbpp/2"].base_input[0] == [(3, 4, 5, 6), (5, 7, 4, 10)]
    assert isinstance(data.problems["Mbpp/252"].base_input[0][0], complex)


def test_the_override_does_not_outlive_the_call(shared_data):
    from evalplus.data import humaneval

    load_evalplus(
        EvalPlusBenchmark.HUMANEVAL, shared_data / "benchmarks" / "HumanEvalPlus.jsonl.gz"
    )
    assert humaneval.HUMANEVAL_OVERRIDE_PATH is None


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent.jsonl: no such file"):
        load_evalplus(EvalPlusBenchmark.HUMANEVAL, tmp_path / "absent.jsonl")


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.jsonl"
    path.write_text(json.dumps({"task_id": "HumanEval/0"}) + "\n")
    with pytest.raises(InputError, match=r"other.jsonl: is not a benchmark file of evalplus"):
        load_evalplus(EvalPlusBenchmark.HUMANEVAL, path)


def test_a_file_that_is_not_gzip_is_refused(tmp_path):
    path = tmp_path / "broken.jsonl.gz"
    path.write_text("{}")
    with pytest.raises(InputError, match=r"broken.jsonl.gz: cannot be read"):
        load_evalplus(EvalPlusBenchmark.HUMANEVAL, path)


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.jsonl.gz"
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(InputError, match=r"empty.jsonl.gz: no tasks"):
        load_evalplus(EvalPlusBenchmark.HUMANEVAL, path)


def test_a_damaged_gzip_is_named(damaged_gzip):
    with pytest.raises(InputError, match=r"damaged\.jsonl\.gz"):
        load_evalplus(EvalPlusBenchmark.HUMANEVAL, damaged_gzip)


@pytest.mark.parametrize(("benchmark", "file"), FILES)
def test_what_is_kept_is_what_evalplus_loads(shared_data, tmp_path, benchmark, file):
    path = shared_data / "benchmarks" / f"{file}.jsonl.gz"
    load_evalplus_again(EvalPlusBenchmark(benchmark), path, tmp_path)
    assert load_evalplus_again(EvalPlusBenchmark(benchmark), path, tmp_path) == load_evalplus(
        EvalPlusBenchmark(benchmark), path
    )


def test_a_changed_file_is_loaded_anew(shared_data, tmp_path):
    path = tmp_path / "cut.jsonl"
    whole = gzip.decompress((shared_data / "benchmarks" / "HumanEvalPlus.jsonl.gz").read_bytes())
    for tasks in (2, 1):
        path.write_bytes(b"".join(whole.splitlines(keepends=True)[:tasks]))
        found = load_evalplus_again(EvalPlusBenchmark.HUMANEVAL, path, tmp_path / "cache")
        assert len(found.problems) == tasks


def test_evalplus_is_not_imported_the_second_time(shared_data, tmp_path):
    path = shared_data / "benchmarks" / "HumanEvalPlus.jsonl.gz"
    load_evalplus_again(EvalPlusBenchmark.HUMANEVAL, path, tmp_path)
    code = (
        "import sys; from pathlib import Path\n"
        "from iterpref_assets.core.evaluation.evalplus.data import load_evalplus_again\n"
        "load_evalplus_again('humaneval', Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "print('evalplus' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


def test_a_missing_file_is_named_beside_a_cache_too(tmp_path):
    with pytest.raises(InputError, match=r"absent.jsonl: no such file"):
        load_evalplus_again(EvalPlusBenchmark.HUMANEVAL, tmp_path / "absent.jsonl", tmp_path)


def test_so_is_a_damaged_gzip(damaged_gzip):
    with pytest.raises(InputError, match=r"damaged\.jsonl\.gz"):
        load_evalplus_again(EvalPlusBenchmark.HUMANEVAL, damaged_gzip, damaged_gzip.parent)
