"""Features of programs over the characters `c` and the words `word` of a string."""

from __future__ import annotations

from iterpref_assets.core.lab.features import Expression, Reduction, Sense
from iterpref_assets.core.lab.integers import COUNT

CHARACTER_PREDICATES = (
    Expression("vowels", ("that are vowels", "that are vowel letters"), 'c.lower() in "aeiou"'),
    Expression("no_vowels", ("that are not vowels", "other than vowels"),
               'c.lower() not in "aeiou"'),
    Expression("upper", ("that are uppercase", "that are capital letters"), "c.isupper()"),
    Expression("lower", ("that are lowercase", "that are small letters"), "c.islower()"),
    Expression("digits", ("that are digits", "that are decimal digits"), "c.isdigit()"),
    Expression("no_digits", ("that are not digits", "other than digits"), "not c.isdigit()"),
    Expression("letters", ("that are letters", "that are alphabetic"), "c.isalpha()"),
    Expression("no_letters", ("that are not letters", "other than letters"), "not c.isalpha()"),
    Expression("no_spaces", ("that are not spaces", "other than spaces"), 'c != " "'),
    *(
        Expression(f"not_{k}", (f"that are not {k}", f"that differ from {k}"), f'c != "{k}"')
        for k in "abe"
    ),
    *(
        Expression(f"before_{k}", (f"that come before {k}", f"that sort before {k}"), f'c < "{k}"')
        for k in "dm"
    ),
    *(
        Expression(f"after_{k}", (f"that come after {k}", f"that sort after {k}"), f'c > "{k}"')
        for k in "dm"
    ),
)  # fmt: skip

CHARACTER_MAPPINGS = (
    Expression("same", ("",), "c"),
    Expression("upper", ("turn each to uppercase", "make each a capital"), "c.upper()"),
    Expression("lower", ("turn each to lowercase", "make each small"), "c.lower()"),
    Expression("swapped", ("swap the case of each", "flip the case of each"), "c.swapcase()"),
    Expression("doubled", ("double each", "write each twice"), "c * 2"),
    Expression("tripled", ("triple each", "write each three times"), "c * 3"),
    Expression("dashed", ("add a dash after each", "put a dash behind each"), 'c + "-"'),
    Expression("starred", ("add a star before each", "put a star in front of each"), '"*" + c'),
    Expression("code", ("replace each by its code", "take the code of each"), "str(ord(c))"),
    Expression("next", ("replace each by the next character", "shift each by one"),
               "chr(ord(c) + 1)"),
)  # fmt: skip

WORD_PREDICATES = (
    *(
        Expression(
            f"longer_than_{k}",
            (f"that are longer than {k}", f"that have more than {k} letters"),
            f"len(word) > {k}",
        )
        for k in (1, 2, 3, 4)
    ),
    *(
        Expression(
            f"shorter_than_{k}",
            (f"that are shorter than {k}", f"that have less than {k} letters"),
            f"len(word) < {k}",
        )
        for k in (3, 4, 5)
    ),
    *(
        Expression(f"with_{k}", (f"that contain {k}", f"with the letter {k}"), f'"{k}" in word')
        for k in "aeo"
    ),
    *(
        Expression(
            f"without_{k}",
            (f"that do not contain {k}", f"without the letter {k}"),
            f'"{k}" not in word',
        )
        for k in "aeo"
    ),
    Expression("capitalized", ("that start with a capital", "that begin with a capital letter"),
               "word[0].isupper()"),
    Expression("palindromes", ("that are palindromes", "that read the same backwards"),
               "word == word[::-1]"),
    Expression("even_length", ("of even length", "that have an even length"),
               "len(word) % 2 == 0"),
    Expression("odd_length", ("of odd length", "that have an odd length"), "len(word) % 2 == 1"),
)  # fmt: skip

WORD_MAPPINGS = (
    Expression("same", ("",), "word"),
    Expression("upper", ("turn each to uppercase", "make each all capitals"), "word.upper()"),
    Expression("lower", ("turn each to lowercase", "make each all small"), "word.lower()"),
    Expression("capitalized", ("capitalize each", "give each a capital"), "word.capitalize()"),
    Expression("reversed", ("reverse each", "turn each around"), "word[::-1]"),
    Expression("initial", ("take the first letter of each", "replace each by its first letter"),
               "word[0]"),
    Expression("final", ("take the last letter of each", "replace each by its last letter"),
               "word[-1]"),
    Expression("tail", ("drop the first letter of each", "cut off the first letter of each"),
               "word[1:]"),
    Expression("length", ("replace each by its length", "take the length of each"),
               "str(len(word))"),
    Expression("starred", ("add a star before each", "put a star in front of each"),
               '"*" + word'),
)  # fmt: skip

LISTED = Reduction(
    "listed", ("the list of them", "them as a list"),
    ("kept = []",), ("kept.append({y})",), "kept", "list[str]", Sense.ORDER,
)  # fmt: skip
SORTED = Reduction(
    "sorted", ("the sorted list of them", "them as a sorted list"),
    ("kept = []",), ("kept.append({y})",), "sorted(kept)", "list[str]", Sense.BAG,
)  # fmt: skip
DISTINCT = Reduction(
    "distinct", ("how many different results there are", "the number of distinct results"),
    ("seen = set()",), ("seen.add({y})",), "len(seen)", "int", Sense.SET,
)  # fmt: skip
LAST = Reduction(
    "last", ("the last one, None if there are none", "the final one (None for none)"),
    ("last = None",), ("last = {y}",), "last", "str | None", Sense.ORDER,
)  # fmt: skip
GREATEST = Reduction(
    "greatest", ("the one that sorts last, None if there are none", "the maximum (None for none)"),
    ("best = None",), ("if best is None or {y} > best:", "    best = {y}"), "best", "str | None",
    Sense.SET,
)  # fmt: skip
TALLY = Reduction(
    "tally", ("a dict of how often each occurs", "the count of each in a dict"),
    ("tally = {}",), ("tally[{y}] = tally.get({y}, 0) + 1",), "tally", "dict[str, int]",
    Sense.BAG,
)  # fmt: skip


def joined(name: str, separator: str, phrases: tuple[str, ...]) -> Reduction:
    """Reduction to one string with `separator` between the elements."""
    return Reduction(
        name, phrases, ("parts = []",), ("parts.append({y})",), f'"{separator}".join(parts)',
        "str", Sense.ORDER,
    )  # fmt: skip


CHARACTER_REDUCTIONS = (
    Reduction(
        "text", ("them as one string", "the string of them"),
        ('joined = ""',), ("joined += {y}",), "joined", "str", Sense.ORDER,
    ),
    Reduction(
        "unique_text", ("the string of the different ones", "a string of them without repeats"),
        ('joined = ""',), ("if {y} not in joined:", "    joined += {y}"), "joined", "str",
        Sense.ORDER,
    ),
    joined("comma_text", ",", ("them joined by commas", "a string of them with commas between")),
    LISTED, SORTED, DISTINCT, LAST, GREATEST, TALLY, COUNT,
)  # fmt: skip

WORD_REDUCTIONS = (
    joined("sentence", " ", ("them joined by spaces", "a string of them with spaces between")),
    joined("comma_text", ",", ("them joined by commas", "a string of them with commas between")),
    Reduction(
        "longest", ("the longest, the first of equals, or None", "the first longest or None"),
        ("best = None",), ("if best is None or len({y}) > len(best):", "    best = {y}"), "best",
        "str | None", Sense.ORDER,
    ),
    Reduction(
        "total_length", ("their total length", "the sum of their lengths"),
        ("total = 0",), ("total += len({y})",), "total", "int", Sense.BAG,
    ),
    LISTED, SORTED, DISTINCT, GREATEST, TALLY, COUNT,
)  # fmt: skip
