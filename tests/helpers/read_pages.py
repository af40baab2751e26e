"""What a page holds, read as the browser reads it, and what stands on it there."""

import base64
import json
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

INDEX = re.compile(r'<script id="index" type="application/json">(.*?)</script>', re.DOTALL)
CHUNK = re.compile(r'<script class="chunk" type="text/plain">([A-Za-z0-9+/=]*)</script>')


@dataclass(frozen=True)
class ReadPage:
    """A page's index, and the blocks of its entries by their names."""

    index: dict
    blocks: dict[str, list[list[str]]]

    def of_kind(self, name: str, kind: str) -> list[list[str]]:
        """An entry's blocks of one kind, without the kind."""
        return [rest for first, *rest in self.blocks[name] if first == kind]

    def facet(self, filter_: str) -> dict[str, list[str]]:
        """The values of each entry in a filter, by the entry's name."""
        [found] = [each for each in self.index["facets"] if each["name"] == filter_]
        values = [[found["values"][number] for number in numbers] for numbers in found["of"]]
        return dict(zip(self.index["names"], values, strict=True))


def read_page(file: Path) -> ReadPage:
    """Read a page that was written."""
    content = file.read_text(encoding="utf-8")
    [index] = INDEX.findall(content)
    found = json.loads(index)
    entries = [
        blocks
        for chunk in CHUNK.findall(content)
        for blocks in json.loads(zlib.decompress(base64.b64decode(chunk)))
    ]
    return ReadPage(found, dict(zip(found["names"], entries, strict=True)))
