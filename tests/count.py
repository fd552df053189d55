"""Prints how many tests of a JUnit report passed, and how many failed. A skipped test did neither; a run without a report failed."""

import os
import sys
import xml.etree.ElementTree as tree


def main(path):
    if not os.path.exists(path):
        return print(0, 1)
    suites = list(tree.parse(path).getroot().iter("testsuite"))
    count = {name: sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")}
    bad = count["failures"] + count["errors"]
    print(count["tests"] - bad - count["skipped"], bad)


main(sys.argv[1])
