"""What the tests of files share."""

from contextlib import contextmanager

import pandas as pd
import pytest


@pytest.fixture
def file(tmp_path):
    """Write text, bytes or a table to a file."""

    def write(content, name="AAPL.csv"):
        path = tmp_path / name
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@contextmanager
def refused(kind, **details):
    """Check the kind of an error, and some of its details."""
    with pytest.raises(kind) as caught:
        yield caught
    assert type(caught.value) is kind
    assert {name: caught.value.details.get(name) for name in details} == details
