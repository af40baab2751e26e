"""What the settings are for, from the fields' own descriptions: one key, or docs/SETTINGS.md."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from pydantic import BaseModel

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.settings_keys import REQUIRED, Key, keys_of

_HEAD = """\
# Settings

`iterpref settings doc` writes this page from the fields' own descriptions. A setting stands in the
TOML file that `--settings FILE` or `ITERPREF_SETTINGS` names. A variable overrides the file:
`ITERPREF_DEBUGGING__MAX_ROUNDS=3` sets `debugging.max_rounds`. A list or a section is JSON:
`ITERPREF_EVALUATION__KS='[1, 5]'`. An unknown key is refused.
`iterpref settings show` prints what holds, and where each value comes from.
"""


def settings_page(model: type[BaseModel]) -> str:
    """docs/SETTINGS.md: a table for each section; sections that are alike share one."""
    sections: dict[str, tuple[list[str], type]] = {}
    named = [key for key in keys_of(model) if not key.names_kind]
    for title, keys in _by_section(named).items():
        titles, _ = sections.setdefault(_table(keys), ([], keys[0].owner))
        titles.append(title)
    return "".join([_HEAD, *(_section(*found, table) for table, found in sections.items())])


def explanation(model: type[BaseModel], path: str) -> Iterator[str]:
    """What a key is for, what it may be and its default; of a section, its keys.

    Raises:
        InputError: where there is no such key, naming those that may be meant.
    """
    known = keys_of(model)
    found = [each for each in known if each.path == path]
    if not found:
        paths = list(dict.fromkeys(each.path for each in known))
        sections = [each for each in paths if "." not in each]
        meant = get_close_matches(path, paths, n=3) or sections
        raise InputError(
            "unknown setting", field=path, remedy=f"Did you mean {' or '.join(meant)}?"
        )
    for each in found:
        yield f"{each.path}{f'  ({each.kind})' if each.kind else ''}"
        yield f"  {each.description}."
        yield from _keys_inside(each, known) if each.is_section else _values_of(each)


def _keys_inside(section: Key, known: Sequence[Key]) -> Iterator[str]:
    for each in known:
        if each.path.rpartition(".")[0] == section.path and each.kind.startswith(section.kind):
            kind = f" ({each.kind})" if each.kind != section.kind else ""
            yield f"  {each.path}: {each.description}{kind}"


def _values_of(key: Key) -> Iterator[str]:
    yield f"  value: {key.values}"
    yield from (f"    {value}: {words}" for value, words in key.choices)
    yield f"  default: {default_shown(key)}"
    yield f"  variable: ITERPREF_{key.path.upper().replace('.', '__')}"


def default_shown(key: Key) -> str:
    """A key's default as a settings file writes it."""
    if key.default is REQUIRED:
        return "must be set"
    if key.default is None:
        return "unset"
    return "see below" if key.is_section else json.dumps(key.default, ensure_ascii=False)


def _by_section(keys: Sequence[Key]) -> dict[str, list[Key]]:
    sections: dict[str, list[Key]] = {}
    for key in keys:
        sections.setdefault(_title(key.path.rpartition(".")[0], key.kind), []).append(key)
    return sections


def _title(path: str, kind: str) -> str:
    """The section, and the kind that it or a section around it must have."""
    if not path:
        return ""
    return f"`{path}` where `{kind.replace(f'{path}.', '')}`" if kind else f"`{path}`"


def _section(titles: Sequence[str], owner: type, table: str) -> str:
    if titles == [""]:
        return f"\n## Top level\n\n{table}"
    first, *others = titles
    also = f" The same keys: {', '.join(others)}." if others else ""
    about = (inspect.getdoc(owner) or "").partition("\n\n")[0].replace("\n", " ")
    return f"\n## {first}\n\n{about}{also}\n\n{table}"


def _table(keys: Sequence[Key]) -> str:
    return "\n".join(_rows(keys)) + "\n"


def _rows(keys: Sequence[Key]) -> Iterator[str]:
    yield "| key | what it is for | value | default |"
    yield "|---|---|---|---|"
    for key in keys:
        default = default_shown(key)
        shown = default if default in ("must be set", "unset", "see below") else f"`{default}`"
        cells = (f"`{key.name}`", key.description, key.values, shown)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
