"""Calls of other modules that show or test a function, and those that set something up."""

from __future__ import annotations

import pytest

from iterpref_assets.core.unreachable import reachable_part

ADD = "def add(a):\n    return a + 1"


def _kept(code: str) -> str:
    return reachable_part(code, frozenset({"add"}))


@pytest.mark.parametrize(
    ("imports", "shown"),
    [
        ("from pprint import pprint", "pprint(add(1))"),
        ("import pprint as pp", "pp.pprint(add(1))"),
        ("import sys", "sys.stdout.write(str(add(1)))"),
        ("from sys import stdout", "stdout.write(str(add(1)))\nstdout.flush()"),
        ("import sys", "if add(1) != 2:\n    print('wrong')\n    sys.exit(1)"),
        ("import sys", "def main():\n    print(add(1))\nsys.exit(main())"),
        ("import numpy as np", "np.testing.assert_allclose(add(1), 2)"),
        ("import numpy.testing as npt", "npt.assert_equal(add(1), 2)"),
        ("from numpy.testing import assert_equal", "assert_equal(add(1), 2)"),
        ("import pandas as pd", "pd.testing.assert_frame_equal(add(1), 2)"),
        ("import doctest", "doctest.testmod()"),
        ("import logging", "logging.info(add(1))"),
        ("import logging", "log = logging.getLogger()\nlog.info(add(1))"),
        ("import asyncio", "async def main():\n    print(add(1))\nasyncio.run(main())"),
        (
            "import unittest",
            (
                "class TestAdd(unittest.TestCase):\n    def test(self):\n"
                "        self.assertEqual(add(1), 2)\nunittest.main(argv=[''], exit=False)"
            ),
        ),
        ("import math", "exit()"),
        ("import math", "quit(add(1))"),
        ("import math", "if add(1) != 2:\n    raise AssertionError('wrong')"),
        (
            "import math",
            "try:\n    add(1)\n    raise AssertionError('none')\nexcept ValueError:\n    pass",
        ),
        ("import math", "raise SystemExit(add(1))"),
    ],
)
def test_a_call_that_only_shows_or_tests_the_function_is_unreachable(imports: str, shown: str):
    assert _kept(f"{imports}\n\n{ADD}\n\n{shown}") == f"{imports}\n\n{ADD}"


@pytest.mark.parametrize(
    "setting",
    [
        "import sys\nsys.setrecursionlimit(10_000)",
        "import sys\nsys.path.append('lib')",
        "import sys\nsys.stdout.reconfigure(encoding='utf-8')",
        "import random\nrandom.seed(0)",
        "import numpy as np\nnp.random.seed(0)",
        "import numpy as np\nnp.seterr(all='raise')",
        "import decimal\ndecimal.getcontext().prec = 50",
        "from decimal import getcontext\ngetcontext().prec = 50",
        "import warnings\nwarnings.filterwarnings('ignore')",
        "import locale\nlocale.setlocale(locale.LC_ALL, '')",
        "import logging\nlogging.basicConfig(level=10)",
        "import signal\nif hasattr(signal, 'SIGPIPE'):\n    signal.signal(signal.SIGPIPE, print)",
        "import random\nif __debug__:\n    random.seed(0)\n    print('seeded')",
        "from helpers import pprint\npprint(1)",
        "raise AssertionError('not yet')",
        "if ADDING:\n    raise ValueError('no')",
        "try:\n    ADDING\nexcept NameError:\n    raise",
        "import sys\ndef show():\n    global LIMIT\n    LIMIT = 1\nsys.exit(show())\nLIMIT = 0",
    ],
)
def test_a_call_whose_effect_cannot_be_told_stays(setting: str):
    code = f"{setting}\n\n{ADD}".replace("a + 1", "a + LIMIT" if "LIMIT =" in setting else "a + 1")
    assert _kept(code) == code
