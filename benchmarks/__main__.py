"""Print the table of work, peer, target, figure and verdict, and write it as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy
from threadpoolctl import threadpool_limits

from benchmarks.growth import growth
from benchmarks.rows import ROWS
from benchmarks.timing import Figure


def main() -> None:
    rows = {row.__name__: row for row in ROWS}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="row", help=f"which to run, of {', '.join(rows)}; all by default")
    parser.add_argument("--json", type=Path, default=Path("benchmarks.json"), help="where to write the figures")
    parser.add_argument(
        "--threads",
        type=int,
        default=1,
        help="threads for BLAS, ours and the peers' (1 by default: ratios of one thread repeat on a busy machine)",
    )
    parser.add_argument("--growth", action="store_true", help="also measure how cost grows with dates, assets, factors")
    parser.add_argument("--figures", type=Path, help="a folder for pictures of the table and of the growth, as SVG")
    options = parser.parse_args()
    unknown = set(options.rows) - set(rows)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(rows)}")
    figures: list[Figure] = []
    curves = {}
    with threadpool_limits(options.threads):
        for name in options.rows or rows:
            for figure in rows[name]():
                figures.append(figure)
                print(line(figure), flush=True)
        if options.growth:
            curves = growth()
    result = {"machine": machine(options.threads), "figures": list(map(plain, figures)), "growth": curves}
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.figures:
        draw(result, options.figures)


def draw(result: dict[str, Any], folder: Path) -> None:
    from benchmarks import figures

    folder.mkdir(parents=True, exist_ok=True)
    figures.ratios(result["figures"], folder / "benchmarks.svg")
    if result["growth"]:
        figures.growth(result["growth"], folder / "growth.svg")


def line(figure: Figure) -> str:
    verdict = "met" if figure.met else "MISSED"
    return f"{figure.work:<72} {figure.against:<50} {figure.wanted:>16} {figure.ratio:>9.4g}  {verdict}"


def plain(figure: Figure) -> dict[str, object]:
    return {
        "work": figure.work,
        "against": figure.against,
        "target": figure.wanted,
        "bound": figure.target,
        "faster": figure.faster,
        "figure": float(f"{figure.ratio:.4g}"),
        "met": bool(figure.met),
    }


def machine(threads: int) -> dict[str, object]:
    return {
        "cpu": processor(),
        "cores": os.cpu_count(),
        "blas threads": threads,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "scipy": scipy.__version__,
    }


def processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    return next((x.split(":", 1)[1].strip() for x in text.splitlines() if x.startswith("model name")), "")


if __name__ == "__main__":
    main()
