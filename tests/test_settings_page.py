"""Every setting is described, and docs/SETTINGS.md tells what the fields say."""

from pathlib import Path

from iterpref_assets.core.settings_keys import keys_of
from iterpref_assets.core.settings_page import settings_page
from iterpref_assets.settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "SETTINGS.md"


def test_every_setting_has_a_description() -> None:
    without = [
        f"{key.owner.__name__}.{key.name}" for key in keys_of(Settings) if not key.description
    ]
    assert sorted(set(without)) == []


def test_so_has_every_field_of_their_schema() -> None:
    schema = Settings.model_json_schema()
    without = [
        f"{model}.{field}"
        for model, told in {"Settings": schema, **schema["$defs"]}.items()
        for field, about in told.get("properties", {}).items()
        if not about.get("description")
    ]
    assert without == []


def test_no_description_ends_in_a_full_stop() -> None:
    assert [key.path for key in keys_of(Settings) if key.description.endswith(".")] == []


def test_the_page_is_current() -> None:
    remedy = "run: iterpref settings doc"
    assert PAGE.read_text(encoding="utf-8") == settings_page(Settings), remedy
