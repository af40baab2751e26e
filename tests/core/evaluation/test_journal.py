import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.journal import Journal
from iterpref_assets.core.records import Record


class Entry(Record):
    name: str


def test_records_come_back_in_order(tmp_path):
    with Journal(tmp_path / "log", Entry) as journal:
        journal.append(Entry(name="a\nb\u2028"))
        journal.append(Entry(name="c"))
    with Journal(tmp_path / "log", Entry) as journal:
        assert [entry.name for entry in journal.records] == ["a\nb\u2028", "c"]


def test_a_record_is_readable_before_the_journal_is_closed(tmp_path):
    with Journal(tmp_path / "log", Entry) as journal:
        journal.append(Entry(name="a"))
        assert (tmp_path / "log").read_text() == '{"name":"a"}\n'


def test_a_line_cut_short_by_a_kill_is_dropped_and_overwritten(tmp_path):
    (tmp_path / "log").write_text('{"name":"a"}\n{"name":"b')
    with Journal(tmp_path / "log", Entry) as journal:
        assert [entry.name for entry in journal.records] == ["a"]
        journal.append(Entry(name="c"))
    assert (tmp_path / "log").read_text() == '{"name":"a"}\n{"name":"c"}\n'


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / "log").write_text('{"name":"a"}\n{"nom":"b"}\n')
    with pytest.raises(InputError, match=r"log:2: field 'name'"):
        Journal(tmp_path / "log", Entry)
