"""What is promised, and whether it was kept."""

from __future__ import annotations

import statistics
from typing import Any

MOST_MS = 150  # p95 of the queries of the home page with at most two filters, and of pages of logs
MOST_MS_THREE = 1_000  # with three filters
MOST_RATIO = 1.5  # ten times the rows
LEAST_FOLDED, OF_AT_LEAST = 100_000, 5_000_000  # rows a second; with few rows, it is the empty quarters that cost
MOST_MB = 350  # the tables of the rollups
MOST_DEARER = 1.10  # a logged call with rollups, against one without


def p95(times: list[float]) -> float:
    return sorted(times)[-(-len(times) * 95 // 100) - 1]


class Limits:
    def __init__(self, rows: list[int]) -> None:
        self.rows = sorted(rows)
        self.found: list[tuple[str, str, bool]] = []

    def add(self, what: str, said: str, *, good: bool) -> str:
        self.found.append((what, said, good))
        return "PASS" if good else "FAIL"

    def judge(self, title: str, name: str, columns: list[list[dict[str, Any]]]) -> str:
        """A page: its queries, or for logs everything; and how much dearer it is than with a tenth of the rows."""
        if not name.startswith(("home", "log")):
            return ""
        what = "queries" if name.startswith("home") else "page"
        most = MOST_MS_THREE if "three" in name else MOST_MS
        times = [[one[what] for one in column] for column in columns]
        worst = p95(times[-1])
        verdict = self.add(title, f"{what} p95 {worst:.0f} ms of {most}", good=worst <= most)
        if len(columns) > 1:
            ratio = statistics.median(times[-1]) / statistics.median(times[-2])
            verdict += f" ratio {ratio:.2f}"
            if name.startswith("home"):
                verdict += " " + self.add(title, f"{ratio:.2f} times the smaller one", good=ratio <= MOST_RATIO)
        return verdict

    def folded(self, name: str, answer: dict[str, Any]) -> None:
        rate, size = answer["rows"] / answer["seconds"], answer["rollups_mb"]
        print(f"\n{name}: {answer['rows']:,} rows folded in {answer['seconds']:.1f} s ({answer['cpu']:.1f} s of CPU), "
              f"{rate:,.0f} rows/s, at most {answer['peak_mb']:.0f} MB of memory")  # fmt: skip
        for table, mb in answer["tables"].items():
            print(f"    {table:34} {mb:9.1f} MB")
        enough = rate >= LEAST_FOLDED or answer["rows"] < OF_AT_LEAST
        good = self.add(f"folding {name}", f"{rate:,.0f} rows/s", good=enough)
        small = self.add(f"rollup tables of {name}", f"{size:.0f} MB", good=size <= MOST_MB)
        same = self.add(f"rollups of {name} equal the rows", answer["verified"], good=answer["verified"] == "yes")
        print(f"    folding {good}, size {small}, verified {same}")

    def written(self, answers: list[dict[str, Any]]) -> None:
        for answer in answers:
            ratio, cpu = (statistics.median(answer[name]) for name in ("ratios", "cpu_ratios"))
            verdict = self.add(f"write path, {answer['at_once']} at once", f"{ratio:.3f}", good=ratio <= MOST_DEARER)
            print(f"\na logged call, {answer['at_once']} at once: {answer['with_us']:.0f} us with rollups, "
                  f"{answer['without_us']:.0f} us without; ratio of a round {ratio:.3f} ({answer['ratios'][0]:.3f} to "
                  f"{answer['ratios'][-1]:.3f}), of CPU time {cpu:.3f}  {verdict}")  # fmt: skip

    def together(self, answer: dict[str, Any]) -> None:
        verdict = self.add("four writers", f"{len(answer['problems'])} problems", good=not answer["problems"])
        print(
            f"\nfour writers: {answer['calls']:,} calls in {answer['seconds']:.0f} s, {answer['folds']:,} quarters "
            f"folded, {answer['reads']} reloads, p95 {answer['read_p95']:.0f} ms  {verdict}"
        )
        for problem in answer["problems"][:20]:
            print(f"    {problem}")

    def told(self) -> bool:
        bad = [one for one in self.found if not one[2]]
        print(f"\n{len(self.found) - len(bad)} of {len(self.found)} limits kept")
        for what, said, _ in bad:
            print(f"FAIL  {what}: {said}")
        return not bad
