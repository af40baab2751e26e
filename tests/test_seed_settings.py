"""Every kind of seed source can be set by file or environment, and faults are named."""

import json
from pathlib import Path

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.settings import load_settings

COLUMNS = {"statement": "q", "tests": "t", "test_format": "stdio"}
SOURCES = [
    {"kind": "lab", "lab": {"shards": 2}},
    {"kind": "files", "folder": "f", "heldout": "h"},
    {"kind": "exercism", "path": "e", "parts": 2},
    {"kind": "mbpp", "path": "m", "heldout_share": 0.2},
    {"kind": "table", "path": "t", "label": "mine", "columns": COLUMNS},
    {
        "kind": "hub", "repository": "owner/name", "revision": "0" * 40, "label": "hub",
        "columns": COLUMNS,
    },
    {"kind": "mixed", "sources": [{"kind": "mbpp", "path": "m"}, {"kind": "lab"}]},
    {"kind": "feature_tree", "tree": "t", "frequencies": "f", "heldout": "h", "shape": [3, 1]},
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES, ids=[str(source["kind"]) for source in SOURCES])
def test_each_kind_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch, source: dict) -> None:
    monkeypatch.setenv("ITERPREF_SEEDS", json.dumps(source))
    seeds = load_settings().seeds.model_dump(mode="json")
    assert {name: seeds[name] for name in source if name not in ("lab", "columns", "sources")} == {
        name: value for name, value in source.items() if name not in ("lab", "columns", "sources")
    }


def test_a_source_is_set_by_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(
        '[seeds]\nkind = "mixed"\n[[seeds.sources]]\nkind = "mbpp"\npath = "m"\n'
        '[[seeds.sources]]\nkind = "exercism"\npath = "e"\n'
        '[seed_filter]\nallow_training_on = ["llmdebugger"]\n'
    )
    monkeypatch.setenv("ITERPREF_SETTINGS", str(path))
    settings = load_settings()
    assert settings.seeds.shards() == ("mbpp-000", "exercism-000")
    assert settings.seed_filter.allow_training_on == ("llmdebugger",)


@pytest.mark.parametrize(
    ("source", "field"),
    [
        ({"kind": "exercism"}, "path"),
        ({"kind": "hub", "repository": "a", "revision": "main", "label": "x"}, "revision"),
        ({"kind": "mbpp", "path": "m", "parts": 0}, "parts"),
        ({"kind": "table", "path": "t", "label": "Not One", "columns": COLUMNS}, "label"),
        ({"kind": "magic"}, "seeds"),
    ],
)
def test_a_fault_is_named_by_its_field(
    monkeypatch: pytest.MonkeyPatch, source: dict, field: str
) -> None:
    monkeypatch.setenv("ITERPREF_SEEDS", json.dumps(source))
    with pytest.raises(InputError) as caught:
        load_settings()
    assert field in str(caught.value.field)
