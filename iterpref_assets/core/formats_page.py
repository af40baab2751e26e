"""The page that tells every file that goes in or out, docs/FORMATS.md, from the schemas."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from string import Template

from pydantic import BaseModel

from iterpref_assets.core import records, tables
from iterpref_assets.core.columns import DESCRIPTIONS
from iterpref_assets.core.prompts import fenced

_HEAD = """\
# Formats

`iterpref settings formats` writes this page from the schemas in `core/records.py` and
`core/tables.py`. Tables are Parquet. Columns are checked whenever a table is read or written.

## Problems, one JSON object a line

What `seeds.kind = "files"` reads: each `*.jsonl` in `seeds.folder` is a shard, and `seeds.heldout`
is one more file, whose lines say `"split": "heldout"`. Values in `arguments` and `expected` are
Python literals as text; `arguments` is a tuple. `iterpref init` writes these lines:

"""
_SAMPLES = """
## Samples, one JSON object a line

What `iterpref generate` writes and `iterpref evaluate --samples` reads. `solution` is a whole
program, `completion` goes on after the task's prompt, `answer` is a chat's whole answer, which
`--answers` reads. A task may have several lines.

```json
{"task_id": "HumanEval/53", "solution": "def add(x: int, y: int):\\n    return x + y\\n"}
{"task_id": "HumanEval/53", "completion": "    return x + y\\n"}
{"task_id": "HumanEval/53", "solution": "def add(x, y): return x + y", "answer": "Like this: ..."}
```

## Pairs as JSON

`iterpref export` writes the authors' form, a list of objects with `prompt`, `chosen` and
`rejected`, TRL's form with masks, or chat messages: [PAIRS.md](PAIRS.md). A line of messages:

```json
$messages
```

## Tables
"""
_MESSAGES = {
    "prompt": [{"role": "user", "content": "Write add(a, b)."}],
    "chosen": [{"role": "assistant", "content": fenced("def add(a, b):\n    return a + b")}],
    "rejected": [{"role": "assistant", "content": fenced("def add(a, b):\n    return a - b")}],
    "pair_id": "homework/add#0:0-1",
    "chosen_diff_lines": [1],
    "rejected_diff_lines": [1],
}
FILES = {
    "PROBLEMS": "`problems.parquet` of `raw_seeds`, `seed_problems`, `heldout_problems`",
    "UNUSABLE_SEEDS": "`unusable.parquet` of `raw_seeds`",
    "DROPPED_SEEDS": "`dropped_seeds.parquet` of `seed_problems`",
    "COMPLETIONS": "`completions.parquet` of `synthetic_tasks`, `initial_samples`, "
    "`debug_trajectories`; what engine `replay` reads",
    "WRITTEN_PROGRAMS": "the programs that came with synthesised tests",
    "TEST_QUALITY": "`quality.parquet` of `test_quality`",
    "VERSIONS": "`versions.parquet` of `debug_trajectories`; what `iterpref pairs` reads",
    "PAIRS": "`pairs.parquet` of `codeflow_pairs` and `preference_pairs`, and of `iterpref pairs`",
    "JUDGEMENTS": "`judgements.parquet` of `codeflow_pairs`, where a judge is set",
    "TOKENIZED_PAIRS": "`tokens.parquet` of `preference_pairs`; what `iterpref train` reads",
    "REFERENCE_LOGPROBS": "`logprobs.parquet` of `reference_logprobs`",
    "SCORES": "`greedy.parquet`, `sampled.parquet` of `heldout_scores`; `scores.parquet`",
    "STRONGER": "`stronger.parquet` of `experiment_stronger`",
    "BENCHMARK_TASKS": "`tasks.parquet` of a benchmark's tasks",
    "LEADERBOARD": "`leaderboard.parquet` of `leaderboard`",
}
"""Where each table of core.tables lies."""
_RECORDS = (
    records.Problem,
    records.FunctionTests,
    records.Case,
    records.RaisingCase,
    records.StdioTests,
    records.StdioCase,
    records.CodeTests,
)


def formats_page(example: Path) -> str:
    """docs/FORMATS.md; `example` is a problem file whose lines are shown."""
    problems = [line for line in example.read_text(encoding="utf-8").splitlines() if line]
    parts = [_HEAD, "```json\n", "\n".join(problems), "\n```\n"]
    parts += [_record(model) for model in _RECORDS]
    parts.append(Template(_SAMPLES).substitute(messages=json.dumps(_MESSAGES)))
    told = schemas()
    parts += [_table(name, schema, about) for name, (schema, about) in told.items()]
    return "".join(parts)


def schemas() -> dict[str, tuple[tables.Schema, str]]:
    """Every schema of core.tables with the words that follow it there."""
    body = ast.parse(inspect.getsource(tables)).body
    found: dict[str, tuple[tables.Schema, str]] = {}
    for statement, after in pairwise(body):
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
            continue
        words = ast.literal_eval(after.value) if isinstance(after, ast.Expr) else ""
        name = statement.target.id
        if isinstance(schema := getattr(tables, name), dict):
            found[name] = (schema, " ".join(str(words).split()))
    return found


def _record(model: type[BaseModel]) -> str:
    about = " ".join((inspect.getdoc(model) or "").split())
    return f"\n### {model.__name__}\n\n{about}\n\n" + "\n".join(_fields(model)) + "\n"


def _fields(model: type[BaseModel]) -> Iterator[str]:
    yield "| field | JSON | where left out |"
    yield "|---|---|---|"
    schema = model.model_json_schema()
    for name, field in schema["properties"].items():
        kind = field.get("type") or " or ".join(
            each["$ref"].rpartition("/")[2] for each in field.get("oneOf", [field])
        )
        if "const" in field:
            kind = json.dumps(field["const"])
        must = "default" not in field or "const" in field
        default = "must be given" if must else json.dumps(field["default"])
        yield f"| `{name}` | {kind} | {default} |"


def _table(name: str, schema: tables.Schema, about: str) -> str:
    columns = "\n".join(
        f"| `{column}` | {dtype} | {DESCRIPTIONS[column]} |" for column, dtype in schema.items()
    )
    head = "| column | type | what it holds |\n|---|---|---|"
    return f"\n### {FILES[name]}\n\n{about}\n\n{head}\n{columns}\n"
