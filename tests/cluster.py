"""A cluster of processes on the loopback, and chunks that its workers make.

As a script it is a scheduler, or a worker of the scheduler at the address given, until its standard input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

_PATIENCE = 60


@contextlib.contextmanager
def cluster(folder, workers=3):
    """A client of a scheduler and workers, each a process of its own, and the workers by their process ids."""
    from distributed import Client

    with contextlib.ExitStack() as stack:
        log = stack.enter_context((folder / "log").open("w"))
        scheduler = stack.enter_context(_process(folder, log))
        ready, _, _ = select.select([scheduler.stdout], [], [], _PATIENCE)
        address = scheduler.stdout.readline().strip() if ready else ""
        if not address:
            raise RuntimeError(f"the scheduler did not start: {(folder / 'log').read_text()}")
        machines = [stack.enter_context(_process(folder, log, address)) for _ in range(workers)]
        client = stack.enter_context(Client(address, timeout=_PATIENCE))
        client.wait_for_workers(workers, timeout=_PATIENCE)
        yield client, {machine.pid: machine for machine in machines}


@contextlib.contextmanager
def _process(folder, log, *arguments):
    # what a worker unpickles from a test's own module it finds beside this file
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    here = {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log, "text": True}
    with subprocess.Popen([sys.executable, __file__, *arguments], env=here, cwd=folder, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


async def _run(address=None):
    from distributed import Scheduler, Worker

    plain = {"host": "127.0.0.1", "dashboard": False}
    make = Worker(address, nthreads=1, memory_limit=0, **plain) if address else Scheduler(port=0, **plain)
    async with make as server:
        print(server.address, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


# -- chunks ----------------------------------------------------------------------------------------


def logged(path):
    """A chunk from a file; that it was read is told by a file beside it."""
    (path.parent / f"read-{path.stem}-{os.getpid()}-{time.monotonic_ns()}").touch()
    return np.load(path)


def fatal(path):
    """A chunk from a file; the first worker that is at its third is killed before it has it."""
    chunk = logged(path)
    if len(list(path.parent.glob(f"read-*-{os.getpid()}-*"))) >= 3:
        with contextlib.suppress(FileExistsError), (path.parent / "killed").open("x") as file:
            file.write(str(os.getpid()))
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    return chunk


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:]))
