"""What AWS never answers, what other tests see, and what does not happen here: `coverage.toml` says it once, for the tests and for the report."""

import fnmatch
import functools
import pathlib
import tomllib

FILE = pathlib.Path(__file__).resolve().parent.parent / "coverage.toml"
KINDS = ("never", "elsewhere", "uncaused")


@functools.cache
def patterns():
    """Each pattern with its kind, its reason and where that is public, in the order of the file."""
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return [(pattern, kind, table["because"], table["source"]) for kind in KINDS for table in tables[kind] for pattern in table["members"]]


def stands_for(pattern, name):
    """Whether a pattern stands for `service Operation member`: part by part, and for what is below the member."""
    parts, of = name.split(" "), pattern.split(" ")
    service, operation, member = (fnmatch.fnmatchcase(part, each) for part, each in zip(parts, of))
    if parts[2].startswith("!") != of[2].startswith("!"):
        return False
    return service and operation and (member or fnmatch.fnmatchcase(parts[2], of[2] + ".*"))


@functools.cache
def kind_of(name):
    """Why a member or an error need not be seen: the kind of the first pattern that stands for it, or None."""
    return next((kind for pattern, kind, _, _ in patterns() if stands_for(pattern, name)), None)
