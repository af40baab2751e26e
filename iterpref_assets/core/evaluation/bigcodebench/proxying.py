"""Which tasks' tests can be kept apart from the program: those that only call it with plain values.

Told by reading the test file, and never by what a program does, so that no program can choose to be
judged beside its tests. What reading cannot tell, how references come out tells: `UNLIKE`.
"""

from __future__ import annotations

import ast

from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchProblem

_PATCHES = frozenset({
    "mock", "patch", "Mock", "MagicMock", "mock_open", "PropertyMock", "requests_mock",
    "fake_filesystem_unittest", "setattr",
})  # fmt: skip
_OBJECTS = frozenset({
    "plt", "matplotlib", "mpl", "sns", "seaborn", "Axes", "Figure", "flask", "Flask", "django",
    "tensorflow", "keras", "sklearn", "folium", "turtle", "Image", "BeautifulSoup", "openpyxl",
    "Workbook", "statsmodels", "socket", "threading", "get_title", "get_xlabel", "get_ylabel",
    "get_lines", "get_xticks", "get_xticklabels", "get_figure", "gca", "patches",
    "LinearRegression", "KMeans", "PublicKey", "GeneratorType",
})  # fmt: skip
_STATE = frozenset({
    "stdout", "stderr", "stdin", "redirect_stdout", "redirect_stderr", "environ", "putenv",
    "chdir", "signal", "modules", "warnings", "assertWarns", "assertWarnsRegex", "assertLogs",
    "assertNoLogs", "logging", "freeze_time", "globals",
})  # fmt: skip
_EXECUTION = frozenset({
    "eval", "exec", "pickle", "joblib", "dill", "importlib", "__import__", "inspect", "subprocess",
    "system", "popen", "Popen", "runpy", "ctypes", "read_pickle", "read_hdf", "shelve", "marshal",
    "yaml", "allow_pickle", "HDFStore", "nltk",
})  # fmt: skip
_REASONS = (
    (_PATCHES, "patches what the program uses"),
    (_OBJECTS, "uses objects that do not cross"),
    (_STATE, "looks at its own process"),
    (_EXECUTION, "runs code or loads objects"),
)


def why_in_process(problem: BigCodeBenchProblem) -> str:
    """Why the task's tests need the program in their own process, or "" where they do not."""
    tree = ast.parse(problem.test)
    if not _only_calls(tree, problem.entry_point):
        return "uses its function otherwise than by calling it"
    used = set(_names(tree))
    for names, reason in _REASONS:
        if found := sorted(names & used):
            return f"{reason}: {found[0]}"
    return UNLIKE.get(problem.task_id, "")


def imports_of_tests(problem: BigCodeBenchProblem) -> str:
    """The imports at the top of the test file, which programs find in their own module too.

    Beside the tests they do, so that a program which lacks an import of its own may still pass.
    """
    body = ast.parse(problem.test).body
    found = [ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    return "".join(f"{each}\n" for each in found)


def _only_calls(tree: ast.Module, name: str) -> bool:
    """Whether the function is called, by the file or by what asserts that it raises."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    return bool(uses) and all(_is_called(node, parents[node]) for node in uses)


def _is_called(function: ast.Name, parent: ast.AST) -> bool:
    if not isinstance(parent, ast.Call):
        return False
    if parent.func is function:
        return True
    called = parent.func
    return isinstance(called, ast.Attribute) and called.attr in (
        "assertRaises",
        "assertRaisesRegex",
    )


def _names(tree: ast.Module) -> list[str]:
    """Every name, attribute, keyword and imported module in the file."""
    found: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                found.append(name)
            case ast.alias(name=name):
                found += name.split(".")
            case ast.ImportFrom(module=str(module)):
                found += module.split(".")
            case _:
                pass
    return found


_TAKES = "is given objects that do not cross"
_GIVES = "gives objects that do not cross"
_CHANGES = "changes what it is given, at which its tests look"
_LOOKS = "changes its process, at which its tests look"
_SETS_UP = "needs what its tests set up in its process"

UNLIKE = {
    "BigCodeBench/34": _GIVES,
    "BigCodeBench/36": _GIVES,
    "BigCodeBench/75": _GIVES,
    "BigCodeBench/91": _GIVES,
    "BigCodeBench/93": _GIVES,
    "BigCodeBench/123": _CHANGES,
    "BigCodeBench/181": _SETS_UP,
    "BigCodeBench/187": _GIVES,
    "BigCodeBench/196": _GIVES,
    "BigCodeBench/282": _TAKES,
    "BigCodeBench/399": _GIVES,
    "BigCodeBench/464": _TAKES,
    "BigCodeBench/465": _TAKES,
    "BigCodeBench/466": _TAKES,
    "BigCodeBench/516": _GIVES,
    "BigCodeBench/534": _TAKES,
    "BigCodeBench/546": _GIVES,
    "BigCodeBench/566": _TAKES,
    "BigCodeBench/569": _TAKES,
    "BigCodeBench/570": _TAKES,
    "BigCodeBench/571": _TAKES,
    "BigCodeBench/595": _GIVES,
    "BigCodeBench/610": _GIVES,
    "BigCodeBench/634": _GIVES,
    "BigCodeBench/653": _GIVES,
    "BigCodeBench/654": _GIVES,
    "BigCodeBench/656": _TAKES,
    "BigCodeBench/657": _GIVES,
    "BigCodeBench/660": _GIVES,
    "BigCodeBench/676": _CHANGES,
    "BigCodeBench/690": _GIVES,
    "BigCodeBench/714": _LOOKS,
    "BigCodeBench/716": _LOOKS,
    "BigCodeBench/717": _LOOKS,
    "BigCodeBench/750": _GIVES,
    "BigCodeBench/774": _GIVES,
    "BigCodeBench/829": _GIVES,
    "BigCodeBench/831": _GIVES,
    "BigCodeBench/833": _GIVES,
    "BigCodeBench/846": _TAKES,
    "BigCodeBench/848": _TAKES,
    "BigCodeBench/1090": _TAKES,
    "BigCodeBench/1131": _TAKES,
}
"""Tasks of v0.1.4 whose references pass beside the tests and not apart from them, and why."""
