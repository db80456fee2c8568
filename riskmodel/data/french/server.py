"""The server of the French library, through pandas-datareader."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any, final

from attrs import frozen

from riskmodel.data.french.archive import LARGEST, unpacked
from riskmodel.data.french.shelf import Shelf
from riskmodel.errors import MissingExtraError, SourceError

LIBRARY = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp/"
_RETRIED = {408, 429}
_PIECE = 2**16


@final
@frozen
class Server(Shelf):
    """The server of the library, or a mirror.

    Parameters
    ----------
    url : str
        The folder of the files.
    retries : int
        How often a request that failed is tried again.
    timeout : float
        Seconds that one file may take, all tries together.
    """

    url: str
    retries: int
    timeout: float

    def __str__(self) -> str:
        return self.url

    def has(self, file: str) -> bool:
        """Whether a file may be there: only asking for it would tell."""
        return True

    def text(self, file: str) -> str:
        """Fetch a file and return its text."""
        reader = _reader_class()(file, retry_count=self.retries, timeout=self.timeout)
        reader.folder = self.url
        reader.session = _session_class()(reader.url, self.timeout)
        try:
            content = reader.read()
        except SourceError:
            raise
        except OSError as error:
            raise SourceError(_refusal(reader, error), url=reader.url, status=reader.status) from error
        if not content.startswith(b"PK"):
            raise SourceError(
                f"expected a whole zip file from {reader.url}, got something else; open the address in a browser.",
                url=reader.url,
            )
        return unpacked(content, file, reader.url)


def _refusal(reader: Any, error: OSError) -> str:
    if reader.status is not None:
        hint = " The library may have renamed the file." if reader.status == 404 else ""
        return f"{reader.url} could not be fetched: the server answered {reader.status}.{hint}"
    reason = str(error).strip().splitlines()[-1]
    return f"{reader.url} could not be fetched: {reason} Is there a network?"


@cache
def _reader_class() -> Any:
    """pandas-datareader's reader: its requests, retries and pauses, without its parser."""
    try:
        from pandas_datareader.famafrench import FamaFrenchReader  # noqa: PLC0415 - optional
    except ImportError as error:
        raise MissingExtraError.of("FamaFrench", "pandas-datareader", "french") from error

    class Reader(FamaFrenchReader):  # type: ignore[misc]
        folder = LIBRARY
        status: int | None = None

        @property
        def url(self) -> str:
            return f"{self.folder}{self.symbols}_CSV.zip"

        def _output_error(self, out: Any) -> bool:
            # called with each answer that is not 200; true to give up: what is not there will not be there soon
            self.status = out.status_code
            return 400 <= out.status_code < 500 and out.status_code not in _RETRIED

        def _read_one_data(self, url: str, params: Any) -> bytes:
            # only the request: its parser takes tables apart at empty lines, which vary between files
            content: bytes = self._get_response(url).content
            return content

    return Reader


@cache
def _session_class() -> Any:
    import requests  # noqa: PLC0415 - comes with pandas-datareader

    class BoundedSession(requests.Session):
        """A session whose requests end: by a deadline for all of them together, and at a size."""

        def __init__(self, url: str, timeout: float) -> None:
            super().__init__()
            self.url, self.timeout, self.deadline = url, timeout, time.monotonic() + timeout

        def get(self, url: Any, **options: Any) -> Any:  # type: ignore[override]
            return _within(self.deadline - time.monotonic(), lambda gone: self._get(gone, url, options), self._too_slow)

        def _get(self, gone: threading.Event, url: Any, options: dict[str, Any]) -> Any:
            response = super().get(url, stream=True, **options)
            content = bytearray()
            for piece in response.iter_content(_PIECE):
                content += piece
                if gone.is_set() or len(content) > LARGEST:
                    response.close()
                    break
            if len(content) > LARGEST:
                raise SourceError(
                    f"expected at most {LARGEST // 2**20} MiB from {url}, got more; it is no file of the French "
                    "library.",
                    url=url,
                    largest=LARGEST,
                )
            response._content = bytes(content)
            return response

        def _too_slow(self) -> SourceError:
            return SourceError(
                f"{self.url} could not be fetched within {self.timeout:g} seconds: the server sends too slowly, or not "
                "at all; give a longer timeout, or try again later.",
                url=self.url,
                timeout=self.timeout,
            )

    return BoundedSession


def _within(seconds: float, task: Callable[[threading.Event], Any], too_slow: Callable[[], Exception]) -> Any:
    """Run a task in a thread of its own and wait for so long.

    A timeout of a socket bounds each read, so that a server which sends a byte now and then is waited for without end.
    """
    gone, done = threading.Event(), threading.Event()
    result: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            result.append(task(gone))
        except BaseException as error:  # raised again by the thread that waits
            failure.append(error)
        done.set()

    threading.Thread(target=run, daemon=True).start()
    if not done.wait(max(seconds, 0.0)):
        gone.set()
        raise too_slow()
    if failure:
        raise failure[0]
    return result[0]
