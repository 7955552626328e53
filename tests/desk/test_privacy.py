"""The desk's own files are their owner's alone, also those that were there before."""

import os
import stat

import pytest

from desk import privacy
from desk.settings import load
from store import Store

REAL = {"AMOCRM_SUBDOMAIN": "fitzone", "AMOCRM_ACCESS_TOKEN": "long-lived-token"}


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_restored_files_are_shut(tmp_path):
    """A database, its side files, keys and exports that came back readable by all are not any more; their names are told."""
    settings = load(REAL, tmp_path)
    folder = settings.data_folder
    (folder / "exports").mkdir(parents=True, mode=0o755)
    names = ("desk.db", "desk.db-wal", "desk.db-shm", "secret.key", "local.key", "exports/x.csv")
    for name in names:
        (folder / name).write_text("x")
        (folder / name).chmod(0o644)
    folder.chmod(0o755)
    mended, left = privacy.mend(settings)
    assert left == []
    assert {*mended} == {"desk.db", "desk.db-wal", "desk.db-shm", "secret.key", "local.key", "x.csv", "exports", "data"}
    assert [name for name in names if mode(folder / name) != 0o600] == []
    assert mode(folder) == 0o700
    assert privacy.mend(settings) == ([], [])


def test_somebody_elses_folder_is_left_alone(tmp_path):
    """A database that stands where an admin has put it is shut; its folder is the admin's."""
    tmp_path.chmod(0o755)
    settings = load({**REAL, "DATABASE_URL": f"sqlite:///{tmp_path}/own.db"}, tmp_path / "desk")
    (tmp_path / "own.db").write_text("")
    (tmp_path / "own.db").chmod(0o644)
    assert privacy.mend(settings) == (["own.db"], [])
    assert mode(tmp_path) == 0o755


def test_a_database_mended_before_it_is_opened_has_private_side_files(tmp_path):
    """SQLite gives them the database's rights."""
    settings = load(REAL, tmp_path)
    settings.data_folder.mkdir()
    file = settings.data_folder / "desk.db"
    file.touch(0o644)
    privacy.mend(settings)
    store = Store(settings.database_url)
    store.upgrade()
    assert [path.name for path in settings.data_folder.iterdir() if mode(path) & privacy.OTHERS] == []
    store.close()


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_is_made_later_is_private(tmp_path, what):
    """Whatever the process creates from then on."""
    before = os.umask(0o022)
    try:
        privacy.keep_new_files_private()
        path = tmp_path / what
        path.touch() if what == "file" else path.mkdir()
        assert mode(path) & privacy.OTHERS == 0
    finally:
        os.umask(before)
