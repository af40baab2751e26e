"""Prints what extras of pyproject.toml ask for, a requirement a line: extras.py NAME ..."""

import sys
import tomllib
from pathlib import Path

project = Path(__file__).parents[1] / "pyproject.toml"
extras = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
for name in sys.argv[1:]:
    print(*extras[name], sep="\n")
