"""Keys are found in nested sections, in sections that come in kinds, and in entries by name."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from iterpref_assets.core.settings_keys import REQUIRED, keys_of, nearest
from iterpref_assets.core.settings_page import settings_page
from iterpref_assets.settings import Settings


@dataclass(frozen=True)
class Limits:
    files: Annotated[int, Field(description="Open files")] = 64


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = Field(9, ge=1, description="How often it falls")


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    legs: int = Field(description="What it runs on")


Animal = Annotated[Cat | Dog, Field(discriminator="kind")]


class House(BaseModel):
    """A house."""

    pet: Animal = Field(Cat(lives=7), description="Who lives here")
    guests: dict[str, Animal] = Field({}, description="Who is here today")
    limits: Limits = Field(Limits(), description="What is allowed")
    height: float | None = Field(None, description="Metres")


def found(path: str):
    return [key for key in keys_of(House) if key.path == path]


def test_a_key_of_one_kind_tells_the_kind() -> None:
    assert [key.kind for key in found("pet.legs")] == ['pet.kind = "dog"']


def test_the_field_that_tells_the_kind_is_one_key_of_all_kinds() -> None:
    (key,) = found("pet.kind")
    assert key.names_kind
    assert (key.values, key.default) == ('"cat" or "dog"', "cat")


def test_a_default_is_that_of_the_section_around_it() -> None:
    assert [key.default for key in found("pet.lives")] == [7]


def test_a_key_without_default_must_be_set() -> None:
    assert [key.default for key in found("pet.legs")] == [REQUIRED]


def test_an_entry_that_the_user_names_has_the_keys_of_its_kind() -> None:
    assert [key.kind for key in found("guests.NAME.lives")] == ['guests.NAME.kind = "cat"']


def test_a_dataclass_is_a_section() -> None:
    assert [key.description for key in found("limits.files")] == ["Open files"]


def test_values_are_told_with_their_bounds() -> None:
    assert [key.values for key in found("pet.lives")] == ["whole number, at least 1"]
    assert [key.values for key in found("height")] == ["number or unset"]


@pytest.mark.parametrize(
    ("location", "meant"),
    [
        (("limits", "filez"), "limits.files"),
        (("pet", "dog", "leg"), "pet.legs"),
        (("guests", "tom", "cat", "live"), "guests.tom.lives"),
        (("heigth",), "height"),
    ],
)
def test_the_nearest_key_of_the_same_section_is_offered(location, meant: str) -> None:
    assert nearest(location, keys_of(House))[0] == meant


def test_nothing_is_offered_for_what_is_like_no_key() -> None:
    assert nearest(("limits", "zzzzz"), keys_of(House)) == []


def test_sections_of_equal_keys_share_a_table() -> None:
    page = settings_page(House)
    assert page.count("| `legs` |") == 1
    assert '`guests.NAME` where `kind = "dog"`' in page


def test_a_key_that_names_a_kind_tells_each_kind_in_its_own_words():
    (key,) = [each for each in keys_of(Settings) if each.path == "engine.kind"]
    words = dict(key.choices)
    assert list(words) == ["vllm", "openai", "transformers", "replay"]
    assert words["replay"] == "Completions recorded earlier."
    assert key.default == "vllm"


def test_every_value_of_an_enumeration_has_words():
    without = [
        (key.path, value)
        for key in keys_of(Settings)
        for value, words in key.choices
        if not words.endswith((".", ")"))
    ]
    assert not without
