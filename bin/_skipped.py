"""Usage: _skipped.py JUNIT_XML... Prints how many tests were skipped, by reason."""

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree  # our own pytest wrote these files


def skipped(reports: list[str]) -> Counter[str]:
    reasons: Counter[str] = Counter()
    for report in filter(Path.exists, map(Path, reports)):
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - ours
            reasons.update(found.get("message", "no reason given") for found in case.findall("skipped"))
    return reasons


if __name__ == "__main__":
    reasons = skipped(sys.argv[1:])
    print(f"  Skipped tests: {reasons.total() or 'none'}")
    for reason, count in reasons.most_common():
        print(f"    {count} x {reason}")
