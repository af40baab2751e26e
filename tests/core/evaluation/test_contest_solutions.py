"""Solutions of LiveCodeBench problems, written by hand, pass the published tests."""

import pytest

from iterpref_assets.core.evaluation.contests.data import load_contests
from iterpref_assets.core.evaluation.contests.tasks import contest_tasks
from iterpref_assets.core.sandbox.sandbox import Sandbox

PROGRAMS = {
    "abc365_a": (
        "y = int(input())\nprint(366 if y % 4 == 0 and (y % 100 or y % 400 == 0) else 365)\n"
    ),
    "abc365_b": (
        "input()\na = list(map(int, input().split()))\nprint(a.index(sorted(a)[-2]) + 1)\n"
    ),
    "abc366_a": (
        "n, t, a = map(int, input().split())\nprint('Yes' if 2 * max(t, a) > n else 'No')\n"
    ),
    "abc367_a": (
        "a, b, c = map(int, input().split())\n"
        "print('No' if (a - b) % 24 < (c - b) % 24 else 'Yes')\n"
    ),
    "abc367_b": "print(input().rstrip('0').rstrip('.'))\n",
    "abc368_a": (
        "n, k = map(int, input().split())\na = input().split()\nprint(*a[n - k:], *a[:n - k])\n"
    ),
    "abc368_b": (
        "input()\na = sorted(map(int, input().split()), reverse=True)\ncount = 0\n"
        "while len(a) > 1 and a[1] > 0:\n"
        "    a[0] -= 1\n    a[1] -= 1\n    count += 1\n    a.sort(reverse=True)\n"
        "print(count)\n"
    ),
    "abc369_a": (
        "a, b = map(int, input().split())\nprint(len({2 * a - b, 2 * b - a} | "
        "({(a + b) // 2} if (a + b) % 2 == 0 else set())))\n"
    ),
    "abc369_b": (
        "hands, tired = {}, 0\n"
        "for _ in range(int(input())):\n"
        "    key, hand = input().split()\n"
        "    tired += abs(int(key) - hands.get(hand, int(key)))\n"
        "    hands[hand] = int(key)\n"
        "print(tired)\n"
    ),
    "abc370_a": (
        "import sys\n"
        "l, r = map(int, sys.stdin.read().split())\n"
        "print('Invalid' if l == r else 'Yes' if l else 'No')\n"
        "sys.exit(1)\n"
    ),
    "abc370_b": (
        "n = int(input())\nrows = [list(map(int, input().split())) for _ in range(n)]\n"
        "x = 1\nfor i in range(1, n + 1):\n    x = rows[max(x, i) - 1][min(x, i) - 1]\nprint(x)\n"
    ),
    "abc371_a": (
        "ab, ac, bc = input().split()\nprint('A' if ab != ac else 'B' if ab == bc else 'C')\n"
    ),
    "abc371_b": (
        "n, m = map(int, input().split())\nnamed = set()\n"
        "for _ in range(m):\n"
        "    family, sex = input().split()\n"
        "    print('Yes' if sex == 'M' and family not in named else 'No')\n"
        "    if sex == 'M': named.add(family)\n"
    ),
    "abc372_a": "print(input().replace('.', ''))\n",
    "abc373_a": "print(sum(len(input()) == i for i in range(1, 13)))\n",
    "abc374_a": "def main():\n    print('Yes' if input().endswith('san') else 'No')\n\n"
    "if __name__ == '__main__':\n    main()\n",
    "abc375_a": (
        "n, s = int(input()), input()\nprint(sum(s[i:i + 3] == '#.#' for i in range(n - 2)))\n"
    ),
    "abc376_a": (
        "n, c = map(int, input().split())\nlast, count = -c, 0\n"
        "for t in map(int, input().split()):\n"
        "    if t - last >= c:\n        last, count = t, count + 1\n"
        "print(count)\n"
    ),
}

METHODS = {
    "3526": (
        "class Solution:\n"
        "    def minFlips(self, grid: List[List[int]]) -> int:\n"
        "        def cost(rows):\n"
        "            return sum(row[i] != row[~i] for row in rows for i in range(len(row) // 2))\n"
        "        return min(cost(grid), cost(list(zip(*grid))))\n"
    ),
    "3543": (
        "class Solution:\n"
        "    def countKConstraintSubstrings(self, s: str, k: int) -> int:\n"
        "        return sum(min(Counter(s[i:j])[d] for d in '01') <= k\n"
        "                   for i in range(len(s)) for j in range(i + 1, len(s) + 1))\n"
    ),
    "3553": (
        "class Solution:\n"
        "    def checkTwoChessboards(self, coordinate1: str, coordinate2: str) -> bool:\n"
        "        return sum(map(ord, coordinate1 + coordinate2)) % 2 == 0\n"
    ),
}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(1) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def published(shared_data):
    path = shared_data / "benchmarks" / "livecodebench-v5-public-tests-279.jsonl.gz"
    return {task.task_id: task for task in contest_tasks(load_contests(path))}


@pytest.mark.sandbox
@pytest.mark.parametrize(("name", "code"), (PROGRAMS | METHODS).items())
def test_a_hand_written_solution_passes_every_public_test(published, sandbox, name, code):
    assert published[name].judge(code, sandbox).base.passed
