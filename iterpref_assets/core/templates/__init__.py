"""Prompt templates kept as data: one Markdown file each, with `$name` where a value goes.

The version of a template is the digest of its text, so that no edit of it goes unnoticed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from string import Template


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """One template."""

    name: str
    text: str

    @property
    def version(self) -> str:
        """The first 16 hex digits of the SHA-256 of its text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    def fill(self, **values: str) -> str:
        """The prompt with `values` in their places; what they hold is not read as a template.

        Raises:
            KeyError: where a value is missing.
        """
        return Template(self.text).substitute(values)


def load_template(name: str) -> PromptTemplate:
    """The template of this name in this package."""
    path = Path(__file__).with_name(f"{name}.md")
    return PromptTemplate(name, path.read_text(encoding="utf-8").strip())
