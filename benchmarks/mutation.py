"""Change one token of the core at a time, and count how many of the changes a test notices.

`make mutation`, or ``python -m benchmarks.mutation`` where the extra ``mutation`` is installed. Mutants are those of
cosmic-ray; a random sample of them is run, each in a copy of the repository, against the test files of its module.
Mutants of type annotations are left out, as nothing reads annotations at run time.
"""

import argparse
import ast
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import current_process
from pathlib import Path
from tempfile import TemporaryDirectory

# what is mutated, and the tests that must notice
TESTS = {
    "riskmodel/horizon.py": ("test_horizon",),
    "riskmodel/quantities.py": ("test_horizon",),
    "riskmodel/_core/linalg.py": ("test_ols", "test_covariance", "test_moments", "test_windows"),
    "riskmodel/model/covariance.py": ("test_covariance", "test_model"),
    "riskmodel/model/woodbury.py": ("test_covariance",),
    "riskmodel/model/decomposition.py": ("test_decomposition", "test_strategy"),
    "riskmodel/model/model.py": ("test_model", "test_ols"),
    "riskmodel/model/regression.py": ("test_model", "test_ols", "test_ewma"),
    "riskmodel/model/weighted_summary.py": ("test_ewma",),
    "riskmodel/portfolio/portfolio.py": ("test_strategy", "test_hedged"),
    "riskmodel/portfolio/strategy.py": ("test_strategy",),
    "riskmodel/portfolio/hedged.py": ("test_hedged",),
    "riskmodel/portfolio/budget.py": ("test_budget",),
    "riskmodel/portfolio/limits.py": ("test_budget",),
    "riskmodel/portfolio/position.py": ("test_budget",),
    "riskmodel/estimation/available.py": ("test_estimators",),
    "riskmodel/estimation/base.py": ("test_ols", "test_estimators"),
    "riskmodel/estimation/least_squares/ols.py": ("test_ols", "test_degenerate", "test_moments"),
    "riskmodel/estimation/least_squares/ewma.py": ("test_ewma",),
    "riskmodel/estimation/moments": (
        "test_ols",
        "test_sums",
        "test_universe",
        "test_degenerate",
        "test_moments",
        "test_ewma",
    ),
    "riskmodel/estimation/windows": ("test_windows",),
    "riskmodel/estimation/loadings": ("test_loadings", "test_components", "test_assembled"),
    "riskmodel/estimation/factor_covariance": ("test_factor_covariance", "test_assembled"),
    "riskmodel/estimation/idio_variance": ("test_idio_variance", "test_assembled"),
    "riskmodel/estimation/assembled.py": ("test_assembled",),
}
# of single files in a folder
OWN_TESTS = {
    "riskmodel/estimation/moments/sound.py": ("test_state", "test_degenerate"),
    "riskmodel/estimation/moments/state.py": ("test_state", "test_degenerate"),
}
COPIED = ("riskmodel", "tests", "pyproject.toml")
PYTEST = "-m pytest -x -q -p no:cacheprovider --assert=plain --hypothesis-seed=0"
# of Hypothesis: five examples of each property kill most mutants, and all examples judge the rest
PROFILES = ("quick", "riskmodel")
# a machine that is busy must not make a survivor look killed
PATIENCE = 600


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=100, help="how many mutants to run (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: 0)")
    parser.add_argument("--modules", nargs="+", default=list(TESTS), choices=list(TESTS), metavar="MODULE")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes (default: one a processor)")
    parser.add_argument("--json", type=Path, default=Path("mutation.json"), help="where to write the outcomes")
    options = parser.parse_args()
    every = [item for module in options.modules for item in mutants(module)]
    sample = random.Random(options.seed).sample(every, min(options.sample, len(every)))
    print(f"{len(sample)} of {len(every)} mutants, {options.workers} processes", flush=True)
    with (
        TemporaryDirectory() as folder,
        ProcessPoolExecutor(options.workers, initializer=copy, initargs=(folder,)) as pool,
    ):
        pool.submit(require_green, sorted({name for _, tests in sample for name in tests})).result()
        outcomes = []
        for outcome in pool.map(run, sample):
            outcomes.append(outcome)
            print(f"{outcome['outcome']:9} {outcome['seconds']:5.0f} s  {outcome['where']}", flush=True)
            if outcome["outcome"] == "survived":
                print(outcome["diff"], flush=True)
    options.json.write_text(json.dumps(outcomes, indent=1) + "\n")
    counts = Counter(o["outcome"] for o in outcomes)
    print(f"\nkilled {counts['killed'] + counts['timeout']} of {len(outcomes)} ({counts['timeout']} by the time limit)")


def mutants(module):
    """Every mutant of a module or folder, without those of annotations, and the tests that must notice it."""
    from cosmic_ray.commands.init import _all_work_items

    path = Path(module)
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        annotations = list(spans_of_annotations(file))
        for item in _all_work_items([file], {}):
            (m,) = item.mutations
            if not any(start <= m.start_pos < end for start, end in annotations):
                yield m, OWN_TESTS.get(str(file), TESTS[module])


def spans_of_annotations(file):
    """Begin and end of every annotation, as (line, column)."""
    for node in ast.walk(ast.parse(file.read_text())):
        for name in ("annotation", "returns"):
            part = getattr(node, name, None)
            if part is not None:
                yield (part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)


def copy(folder):
    """Give each process a copy of the repository to change."""
    own = Path(folder) / current_process().name
    for name in COPIED:
        source = Path(name)
        if source.is_dir():
            shutil.copytree(source, own / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            own.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, own / name)
    for name in ("README.md", "docs"):
        (own / name).symlink_to(Path(name).resolve())
    os.chdir(own)
    os.environ["PYTHONPATH"] = str(own)
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"


def require_green(tests):
    """Stop where tests fail without a change: each mutant would look killed."""
    for profile in PROFILES:
        os.environ["HYPOTHESIS_PROFILE"] = profile
        if subprocess.run(shlex.split(command(tests)), stdout=subprocess.DEVNULL, check=False).returncode:
            raise SystemExit(f"the tests fail without a change, with HYPOTHESIS_PROFILE={profile}: mend them first")


def command(tests):
    return f"{sys.executable} {PYTEST} " + " ".join(f"tests/{name}.py" for name in tests)


def run(job):
    """Test one mutant."""
    from cosmic_ray.mutating import mutate_and_test

    mutation, tests = job
    begun = time.monotonic()
    for profile in PROFILES:
        os.environ["HYPOTHESIS_PROFILE"] = profile
        result = mutate_and_test([mutation], command(tests), PATIENCE)
        if result.output == "timeout" or result.test_outcome.value != "survived":
            break
    outcome = "timeout" if result.output == "timeout" else str(result.test_outcome.value)
    return {
        "where": f"{mutation.module_path}:{mutation.start_pos[0]} {mutation.definition_name} {mutation.operator_name}",
        "outcome": outcome,
        "seconds": time.monotonic() - begun,
        "diff": result.diff,
    }


if __name__ == "__main__":
    main()
