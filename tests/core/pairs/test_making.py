import json
import lzma

import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.making import PairInputs, make_pairs
from iterpref_assets.core.pairs.token_files import tokens_beside

RELEASE = [
    {
        "prompt": "Add one.",
        "chosen": "```python\ndef f(a):\n    return a + 1\n\nprint(f(1))\n```",
        "rejected": "```python\ndef f(a):\n    return a\n\nprint(f(2))\n```",
    }
]


def test_a_packed_release_is_read_without_what_only_shows_its_functions(tmp_path, tokenizer):
    release, out = tmp_path / "dpo.json.xz", tmp_path / "pairs.parquet"
    release.write_bytes(lzma.compress(json.dumps(RELEASE).encode()))
    made = make_pairs(PairInputs([release]), tokenizer, PairConfig(), out)
    (pair,) = tables.read_table(out, tables.PAIRS).rows(named=True)
    assert (pair["chosen"], pair["rejected"]) == (
        "def f(a):\n    return a + 1",
        "def f(a):\n    return a",
    )
    assert tables.read_table(tokens_beside(out), tables.TOKENIZED_PAIRS).height == 1
    assert (made.executed, made.focus, made.doubtful) == (0, None, None)


def test_two_releases_are_refused(tmp_path, tokenizer):
    files = [tmp_path / "a.json", tmp_path / "b.json.gz"]
    with pytest.raises(InputError, match="more than one file of this kind") as caught:
        make_pairs(PairInputs(files), tokenizer, PairConfig(), tmp_path / "pairs.parquet")
    assert caught.value.file == files[1]
