import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from read_pages import read_page

from iterpref_assets.core.pages.blocks import Tone, heading, text
from iterpref_assets.core.pages.page import PER_CHUNK, Entry, write_page

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>&lt; \u2028 \ud800 {{ 7*7 }}"
)


def entry(name: str, *values: str, content: str = "x") -> Entry:
    return Entry(name, "a note", Tone.GOOD, [list(values)], [text("Text", content)])


class Tags(HTMLParser):
    """Every tag that a browser would read, with its attributes."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    shown = Entry(HOSTILE, HOSTILE, Tone.BAD, [[HOSTILE]], [text(HOSTILE, HOSTILE)])
    write_page(tmp_path / "page.html", HOSTILE, [HOSTILE], [shown], [HOSTILE])
    return tmp_path / "page.html"


def test_what_programs_hold_adds_no_tag_to_a_page(hostile, tmp_path):
    write_page(tmp_path / "tame.html", "t", ["f"], [entry("a", "v")], ["fact"])
    tags = [
        [name for name, _ in Tags(path.read_text(encoding="utf-8")).found]
        for path in (hostile, tmp_path / "tame.html")
    ]
    assert tags[0] == tags[1]


def test_hostile_text_comes_out_as_it_went_in(hostile):
    told = HOSTILE.replace("\ud800", "?")
    found = read_page(hostile)
    assert found.blocks == {told: [["text", told, told]]}
    assert found.facet(HOSTILE) == {told: [told]}


def test_a_page_names_nothing_outside_itself(hostile):
    content = hostile.read_text(encoding="utf-8")
    outside = {"src", "href", "srcset", "action", "data", "style"}
    assert [attrs for _, attrs in Tags(content).found if outside & set(attrs)] == []
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|innerHTML|import\(", content)


def test_the_policy_lets_the_pages_own_script_and_style_run_alone(hostile):
    content = hostile.read_text(encoding="utf-8")
    [policy] = [
        attrs["content"]
        for tag, attrs in Tags(content).found
        if tag == "meta" and "http-equiv" in attrs
    ]
    own = [
        re.search(rf"<{tag}>(.*?)</{tag}>", content, re.DOTALL)[1] for tag in ("script", "style")
    ]
    digests = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in own]
    assert policy.split("; ") == [
        "default-src 'none'",
        f"script-src 'sha256-{digests[0]}'",
        f"style-src 'sha256-{digests[1]}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_no_entry_is_lost_between_chunks(tmp_path):
    names = [f"e{number}" for number in range(2 * PER_CHUNK + 1)]
    count = write_page(tmp_path / "p.html", "t", ["f"], (entry(n, "v", content=n) for n in names))
    found = read_page(tmp_path / "p.html")
    assert count == len(names)
    assert {name: blocks[0][2] for name, blocks in found.blocks.items()} == {n: n for n in names}


def test_a_page_of_nothing_can_be_written(tmp_path):
    assert write_page(tmp_path / "p.html", "t", ["f"], []) == 0
    assert read_page(tmp_path / "p.html").index["names"] == []


def test_values_of_a_filter_stand_by_what_they_count_and_words_last(tmp_path):
    values = ["over 20", "11 to 20", "2", "0", "3 to 5", "won"]
    write_page(tmp_path / "p.html", "t", ["f"], [entry(each, each) for each in values])
    [facet] = read_page(tmp_path / "p.html").index["facets"]
    assert facet["values"] == ["0", "2", "3 to 5", "11 to 20", "over 20", "won"]


def test_an_entry_can_have_several_values_or_none(tmp_path):
    write_page(tmp_path / "p.html", "t", ["f"], [entry("a", "x", "y", "x"), entry("b")])
    assert read_page(tmp_path / "p.html").facet("f") == {"a": ["x", "y"], "b": []}


def test_equal_entries_give_equal_bytes(tmp_path):
    shown = [entry("a", "x"), Entry("b", "", Tone.PLAIN, [[]], [heading("h")])]
    for name in ("1", "2"):
        write_page(tmp_path / name, "t", ["f"], shown)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
