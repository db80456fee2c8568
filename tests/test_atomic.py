"""Files are written whole or not at all."""

import errno
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from riskmodel._core.atomic import UNFINISHED, replacing, write_atomically


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "state.npz"
    path.write_bytes(b"old")
    return path


def only(path):
    return [p.name for p in path.parent.iterdir()] == [path.name]


def test_it_takes_the_place_of_the_old_file(path):
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert only(path)


def test_it_makes_a_new_file(tmp_path):
    write_atomically(str(tmp_path / "new"), b"content")
    assert (tmp_path / "new").read_bytes() == b"content"


def test_the_old_file_is_there_until_the_block_ends(path):
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
        assert len(list(path.parent.glob(f".*{UNFINISHED}"))) == 1
    assert path.read_bytes() == b"new"


def test_it_is_on_the_disk_before_it_is_moved(path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *given, name=name, real=real: (calls.append(name), real(*given))[1])
    write_atomically(path, b"new")
    assert calls[:2] == ["fsync", "replace"]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_an_error_in_the_block_leaves_the_old_file(path, error):
    def breaks_off():
        with replacing(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(type(error)):
        breaks_off()
    assert path.read_bytes() == b"old"
    assert only(path)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_names_it(path, monkeypatch, step):
    def fails(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, fails)
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_atomically(path, b"new")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    assert path.read_bytes() == b"old"
    assert only(path)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_device_is_written_to_and_named():
    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically("/dev/full", b"x" * 10**6)
    assert caught.value.filename == "/dev/full"
    write_atomically(os.devnull, b"new")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_no_folder_is_an_error_of_the_final_file(tmp_path):
    path = tmp_path / "none" / "file"
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(path, b"new")
    assert caught.value.filename == str(path)


def test_a_folder_in_its_place(tmp_path):
    with pytest.raises(IsADirectoryError) as caught:
        write_atomically(tmp_path, b"new")
    assert caught.value.filename == str(tmp_path)


def test_errors_of_other_files_keep_their_name(path, tmp_path):
    with pytest.raises(FileNotFoundError) as caught, replacing(path):
        (tmp_path / "other").read_bytes()
    assert caught.value.filename == str(tmp_path / "other")
    assert only(path)


def test_two_writers_do_not_share_a_file(path):
    barrier = threading.Barrier(4)

    def write(content):
        with replacing(path) as file:
            for _ in range(100):
                file.write(content)
            barrier.wait(10)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, [b"aaaa", b"bbbb", b"cccc", b"dddd"]))
    content = path.read_bytes()
    assert content == content[:1] * 400
    assert only(path)


def test_a_users_own_file_is_never_touched(path):
    mine = path.with_name(path.name + ".part")
    mine.write_bytes(b"mine")
    write_atomically(path, b"new")
    assert mine.read_bytes() == b"mine"


def test_a_link_is_followed(path, tmp_path):
    link = tmp_path / "latest"
    link.symlink_to(path)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"


class TestPermissions:
    def mode(self, path):
        return stat.S_IMODE(path.stat().st_mode)

    @pytest.fixture(autouse=True)
    def _umask(self):
        before = os.umask(0o027)
        yield
        os.umask(before)

    def test_a_new_file_has_those_of_any_new_file(self, tmp_path):
        write_atomically(tmp_path / "new", b"")
        assert self.mode(tmp_path / "new") == 0o640

    @pytest.mark.parametrize("mode", [0o600, 0o664])
    def test_a_replaced_file_keeps_its_own(self, path, mode):
        path.chmod(mode)
        write_atomically(path, b"new")
        assert self.mode(path) == mode

    def test_they_can_be_stated(self, path):
        path.chmod(0o664)
        write_atomically(path, b"new", 0o600)
        assert self.mode(path) == 0o600


def test_numpy_writes_into_it(path):
    with replacing(path) as file:
        np.savez(file, a=np.arange(3))
    np.testing.assert_array_equal(np.load(path)["a"], np.arange(3))
