"""Key files: made once, private, and never silently replaced."""

import os
import stat
import threading

import pytest

from crm.errors import SetupError
from desk.key_file import key_file_phrases


def test_the_key_file_is_made_once_and_is_private(tmp_path):
    """Sixteen starts at once read the same key; nobody but its owner may read the file."""
    path, found, start = tmp_path / "data" / "secret.key", [], threading.Barrier(16)

    def read():
        start.wait()
        found.append(tuple(key_file_phrases(path)))

    threads = [threading.Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found[0][0]) >= 32
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]


def test_an_empty_key_file_is_said_so(tmp_path):
    """A file somebody emptied is not silently replaced: what it sealed would be lost."""
    (tmp_path / "secret.key").write_text("\n")
    with pytest.raises(SetupError) as raised:
        key_file_phrases(tmp_path / "secret.key")
    assert raised.value.code == "secret_key_empty"


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "secret_key_empty"), (b"short", "secret_key_short"), (b"\xff\xfe\x00", "secret_key_unreadable")],
)
def test_a_key_file_that_is_none(tmp_path, content, code):
    """Empty, cut short or not text: said so, and left as it is."""
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    with pytest.raises(SetupError) as raised:
        key_file_phrases(path)
    assert raised.value.code == code
    assert path.read_bytes() == content


def test_a_key_file_that_is_a_folder(tmp_path):
    """Said so, without a traceback."""
    (tmp_path / "secret.key").mkdir()
    with pytest.raises(SetupError) as raised:
        key_file_phrases(tmp_path / "secret.key")
    assert raised.value.code == "secret_key_unreadable"
