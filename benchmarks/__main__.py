"""Print the table of work, peer, target, figure and verdict, and write it as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import scipy
from threadpoolctl import threadpool_limits

from benchmarks.growth import growth
from benchmarks.rows import ROWS
from benchmarks.timing import Figure, threads

SETTINGS = ("default", "1")
# what else has threads of its own, for the column of one thread
LIMITS = (
    "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS",
)  # fmt: skip


def main() -> None:
    rows = {row.__name__: row for row in ROWS}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="row", help=f"which to run, of {', '.join(rows)}; all by default")
    parser.add_argument("--json", type=Path, default=Path("benchmarks.json"), help="where to write the figures")
    parser.add_argument("--threads", choices=SETTINGS, help="measure one column only, in this process")
    parser.add_argument("--growth", action="store_true", help="also measure how cost grows with dates, assets, factors")
    parser.add_argument("--figures", type=Path, help="a folder for pictures of the table and of the growth, as SVG")
    options = parser.parse_args()
    unknown = set(options.rows) - set(rows)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(rows)}")
    if options.threads is None:
        result = columns(options)
    else:
        result = column([rows[name] for name in options.rows or rows], options)
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.figures and options.threads != "default":
        draw(result, options.figures)


def columns(options: argparse.Namespace) -> dict[str, Any]:
    """Measure every row in one process with the default threads and in one with a single thread; print both."""
    found = {}
    with TemporaryDirectory() as folder:
        for setting in SETTINGS:
            file = Path(folder) / f"{setting}.json"
            command = [sys.executable, "-m", "benchmarks", *options.rows, "--threads", setting, "--json", str(file)]
            command += ["--growth"] if options.growth and setting == "1" else []
            print(f"-- BLAS threads: {setting}", flush=True)
            limits = dict.fromkeys(LIMITS, "1") if setting == "1" else {}
            subprocess.run(command, check=True, env=os.environ | limits)
            found[setting] = json.loads(file.read_text())
    print("\n| work | against | target | default threads | one thread |\n|---|---|---|---|---|")
    for many, one in zip(*(found[setting]["figures"] for setting in SETTINGS), strict=True):
        print(f"| {one['work']} | {one['against']} | {one['target']} | {many['figure']:g} | {one['figure']:g} |")
    return found["1"] | {"default threads": found["default"]}


def column(works: list[Any], options: argparse.Namespace) -> dict[str, Any]:
    """Measure rows in this process."""
    figures: list[Figure] = []
    with threadpool_limits(1 if options.threads == "1" else None):
        for work in works:
            for figure in work():
                figures.append(figure)
                print(line(figure), flush=True)
        curves = growth() if options.growth else {}
        return {"machine": machine(threads()), "figures": list(map(plain, figures)), "growth": curves}


def draw(result: dict[str, Any], folder: Path) -> None:
    from benchmarks import figures

    folder.mkdir(parents=True, exist_ok=True)
    figures.ratios(result["figures"], folder / "benchmarks.svg")
    if result["growth"]:
        figures.growth(result["growth"], folder / "growth.svg")


def line(figure: Figure) -> str:
    verdict = {True: "met", False: "MISSED", None: ""}[None if figure.met is None else bool(figure.met)]
    return f"{figure.work:<72} {figure.against:<50} {figure.wanted:>16} {figure.ratio:>9.4g}  {verdict}"


def plain(figure: Figure) -> dict[str, object]:
    return {
        "work": figure.work,
        "against": figure.against,
        "target": figure.wanted,
        "bound": figure.target,
        "faster": figure.faster,
        "figure": float(f"{figure.ratio:.4g}"),
        "met": None if figure.met is None else bool(figure.met),
    }


def machine(blas_threads: int) -> dict[str, object]:
    return {
        "cpu": processor(),
        "cores": os.cpu_count(),
        "blas threads": blas_threads,
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
