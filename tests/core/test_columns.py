"""Every column of every table says what it holds."""

from iterpref_assets.core.columns import DESCRIPTIONS
from iterpref_assets.core.formats_page import schemas


def test_every_column_is_described_and_nothing_else_is() -> None:
    columns = {column for schema, _ in schemas().values() for column in schema}
    assert {"pair_id", "rejected_mask"} <= columns
    assert set(DESCRIPTIONS) == columns


def test_descriptions_are_a_phrase_each() -> None:
    assert [each for each in DESCRIPTIONS.values() if each.endswith(".") or len(each) > 90] == []
