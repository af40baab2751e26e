from pathlib import Path

import polars as pl
import pytest
from engine_doubles import generate_all, make_request

from iterpref_assets.core.engines.config import ReplayConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import Completion, FinishReason
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.tables import COMPLETIONS, write_table


def record(folder: Path, name: str, *keys: str) -> Path:
    rows = [(key, "p", 0, 0, f"text of {key}", 3, 4, "length", 5, "vllm 1, m") for key in keys]
    path = folder / name
    write_table(pl.DataFrame(rows, schema=COMPLETIONS, orient="row"), COMPLETIONS, path)
    return path


def test_a_recorded_completion_comes_back_whole(tmp_path: Path) -> None:
    files = (record(tmp_path, "a.parquet", "k1"), record(tmp_path, "b.parquet", "k2"))
    engine = open_engine(ReplayConfig(completions=files), "")
    assert generate_all(engine, [make_request("k2", seed=99)]) == [
        [Completion("k2", "text of k2", 3, 4, FinishReason.LENGTH, 5)]
    ]


def test_a_key_that_was_not_recorded_is_named(tmp_path: Path) -> None:
    engine = open_engine(ReplayConfig(completions=(record(tmp_path, "a.parquet", "k1"),)), "")
    with pytest.raises(InputError, match="no completion is recorded for k7"):
        generate_all(engine, [make_request("k7")])


def test_a_key_recorded_twice_is_refused(tmp_path: Path) -> None:
    files = (record(tmp_path, "a.parquet", "k1"), record(tmp_path, "b.parquet", "k1"))
    with pytest.raises(InputError, match="k1 is recorded twice"):
        open_engine(ReplayConfig(completions=files), "")


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such table"):
        open_engine(ReplayConfig(completions=(tmp_path / "gone.parquet",)), "")
