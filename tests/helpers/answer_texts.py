"""Short texts as a model may answer with: lines of Python, right and wrong, and prose."""

from hypothesis import strategies as st

LINES = (
    "def f(a):", "    return a", "def g(x):", "    print(x)", "def f(a): return g(a)",
    "def g(x): pass", "class A:", "    z = f", "async def f(a):", "@deco", "    def f(b):",
    "x = 1", "x: int = g", "a.b = g", "a, b = g, x", "A = f", "x += 1", "x = \\", "x = (1,",
    "import os", "from a import b", "if x:", "    pass", "else:", "try:", "for i in x:", "f(3)",
    "", " ", "  y", "\tz = 1", "# f", "#\x0c", "x = 1\r", "y = '\u2028'", "\u00e9 = 1", "\0",
    '"' * 3, "'", 'f"{a', 'f"{a +}"', "(", ")", "[", "{", "}", "a b", "$", "```", "```python",
    "It adds one, as asked.", "\ud800",
)  # fmt: skip
ALPHABET = "ab1 \n\n\t\r\\#\"'([{:=,.@+-"


def answer_texts() -> st.SearchStrategy[str]:
    """Texts of up to nine lines, or of any characters that mean something to Python."""
    of_lines = st.lists(st.sampled_from(LINES), max_size=9).map("\n".join)
    return of_lines | st.text(ALPHABET, max_size=30)
