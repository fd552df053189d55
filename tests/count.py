"""Prints how many tests of a JUnit report passed, and how many failed. A skipped test did neither."""

import sys
import xml.etree.ElementTree as tree


def main(path):
    suites = list(tree.parse(path).getroot().iter("testsuite"))
    count = {name: sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")}
    bad = count["failures"] + count["errors"]
    print(count["tests"] - bad - count["skipped"], bad)


main(sys.argv[1])
