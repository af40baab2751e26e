"""The longest part of a text that is Python, as evalplus and BigCodeBench look for it.

They parse every two or more lines that stand together, so that the time grows with the cube of
the lines. The same part is found here without parsing what cannot be it.
"""

from __future__ import annotations

from itertools import accumulate

from iterpref_assets.core.syntax import Completeness, completeness


def longest_code(text: str) -> str:
    """The first two or more lines of `text` that are Python and of which most are filled.

    Where there are none, its first line. A comment is a filled line.

    Raises:
        RecursionError: where lines that may be the longest nest too deep.
        UnicodeEncodeError: where `text` is of two lines or more and holds half of a surrogate pair.
    """
    lines = text.split("\n")
    if len(lines) > 1:
        text.encode()  # raises what parsing the lines with half of a surrogate pair would
    filled = [0, *accumulate(bool(line.strip()) for line in lines)]
    longest, found = 0, (0, 1)
    for start in range(len(lines)):
        if filled[-1] - filled[start] <= longest:
            break
        for end in range(start + 2, len(lines) + 1):
            count = filled[end] - filled[start]
            if count <= longest:
                continue
            read = completeness("\n".join(lines[start:end]))
            if read is Completeness.WHOLE:
                longest, found = count, (start, end)
            elif read is Completeness.WRONG:
                break
    return "\n".join(lines[slice(*found)])
