"""A file of one LiveCodeBench problem: print the sum of two numbers."""

import json
from pathlib import Path

PROBLEM = {
    "question_id": "add",
    "question_content": "Add two numbers.",
    "starter_code": "",
    "contest_date": "2024-08-03T00:00:00",
    "difficulty": "easy",
    "public_tests": [{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}],
}


def livecodebench_file(folder: Path) -> Path:
    """The file, in `folder`."""
    path = folder / "contests.jsonl"
    path.write_text(json.dumps(PROBLEM) + "\n")
    return path
