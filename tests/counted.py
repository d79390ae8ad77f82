"""What the code counts, read from its sources."""

import re

from cli.local.deploy import ROOT

SOURCES = [*ROOT.glob("functions/*.py"), *ROOT.glob("layers/keypost/keypost/**/*.py"), *ROOT.glob("cli/**/*.py")]


def counted_by_the_code() -> set[str]:
    """The names of all metrics that the code counts."""
    named = set()
    for source in SOURCES:
        code = source.read_text("utf-8")
        calls = re.findall(r"(?:outcome|at_door)\(([^,)]*)", code)
        named |= {name for call in calls for name in re.findall(r'"(\w+)"', call)}
        named |= set(re.findall(r'failed="(\w+)"', code))
        named |= set(re.findall(r'(?:Mail\w+|Fate\.\w+): "(Mail\w+)"', code))
        named |= set(re.findall(r'"([A-Z]\w+)": order\.', code))
        named |= set(re.findall(r'"(Order\w+)"(?= if|$)', code, re.MULTILINE))
    return named
