"""Where a study is kept: what is chosen, what is refused, and that a password is seen nowhere."""

from __future__ import annotations

import sys
from pathlib import Path

import optuna
import pytest
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import OperationalError

from scbench.errors import ConfigError
from scbench.tune import storage as storage_module
from scbench.tune.storage import _engine_kwargs, open_storage, reason_of, storage_url
from scbench.tune.storage_choice import check_storage, choose_storage, password_of, without_password
from scbench.tune.study_folder import claim_folder

SECRET = "postgresql://me:s3:cr%40t@host:5432/base"


def test_files_are_named_by_absolute_paths(tmp_path: Path) -> None:
    assert storage_url("sqlite", tmp_path) == f"sqlite:///{tmp_path}/study.db"
    assert storage_url("journal", tmp_path) == f"{tmp_path}/study.journal"
    assert storage_url("mysql://a/b", tmp_path) == "mysql://a/b"


@pytest.mark.parametrize(
    ("installed", "scheme"),
    [
        (("psycopg", "psycopg2"), "postgresql+psycopg"),
        (("psycopg2",), "postgresql+psycopg2"),
        ((), "postgresql+psycopg"),
    ],
)
def test_the_driver_that_is_installed_is_taken(
    installed: tuple[str, ...], scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_module, "find_spec", lambda name: name in installed or None)
    assert storage_url("postgresql://me@a/b", tmp_path) == f"{scheme}://me@a/b"
    assert storage_url("postgres://me@a/b", tmp_path) == f"{scheme}://me@a/b"
    assert storage_url("postgresql+asyncpg://a/b", tmp_path) == "postgresql+asyncpg://a/b"


def test_auto_goes_on_where_the_study_is_and_else_takes_what_can_be_shared(tmp_path: Path) -> None:
    assert choose_storage("auto", tmp_path, is_shared=False) == "sqlite"
    assert choose_storage("auto", tmp_path, is_shared=True) == "journal"
    (tmp_path / "study.journal").touch()
    assert choose_storage("auto", tmp_path, is_shared=False) == "journal"
    assert choose_storage("journal", tmp_path, is_shared=False) == "journal"
    with pytest.raises(ConfigError, match="is kept in study.journal, not in storage=sqlite; leave storage= out"):
        choose_storage("sqlite", tmp_path, is_shared=False)
    with pytest.raises(
        ConfigError, match=r"is kept in study.journal, not in storage=postgresql://me:\*\*\*@host:5432/base"
    ):
        choose_storage(SECRET, tmp_path, is_shared=False)


@pytest.mark.parametrize("asked", ["sqlite", "sqlite:////shared/study.db"])
def test_nodes_do_not_share_a_file_of_sqlite(asked: str, tmp_path: Path) -> None:
    assert choose_storage(asked, tmp_path, is_shared=False) == asked
    with pytest.raises(
        ConfigError, match="^engine=slurm cannot use storage=sqlite, .* use storage=journal or postgresql"
    ):
        choose_storage(asked, tmp_path, is_shared=True)


def test_a_study_in_sqlite_does_not_move_to_a_cluster_unnoticed(tmp_path: Path) -> None:
    (tmp_path / "study.db").touch()
    with pytest.raises(ConfigError, match=r"the study in .* is kept in study.db, and engine=slurm cannot use"):
        choose_storage("auto", tmp_path, is_shared=True)


def test_a_password_is_not_carried_to_jobs(tmp_path: Path) -> None:
    assert choose_storage("postgresql://me@host/base", tmp_path, is_shared=True) == "postgresql://me@host/base"
    with pytest.raises(
        ConfigError, match=r"storage=postgresql://me:\*\*\*@host:5432/base holds a password.*PGPASSWORD"
    ):
        choose_storage(SECRET, tmp_path, is_shared=True)


@pytest.mark.parametrize(
    ("text", "shown", "password"),
    [
        (SECRET, "postgresql://me:***@host:5432/base", "s3:cr@t"),
        ("postgresql+psycopg://me:a/b?c@host/base", "postgresql+psycopg://me:***@host/base", "a/b?c"),
        ("postgresql://:x@host/base", "postgresql://:***@host/base", "x"),
        ("postgresql://host/base?user=me&password=x&a=b", "postgresql://host/base?user=me&password=***&a=b", "x"),
        ("postgresql://me@host:5432/base", "postgresql://me@host:5432/base", None),
        ("postgresql://host:5432/base", "postgresql://host:5432/base", None),
        ("sqlite:////a/b.db", "sqlite:////a/b.db", None),
        ("journal", "journal", None),
        ("n_trials=5", "n_trials=5", None),
    ],
)
def test_a_password_is_never_shown(text: str, shown: str, password: str | None) -> None:
    assert without_password(text) == shown
    assert password_of(text) == password
    if "://" in text:
        assert without_password(f"storage={text}") == f"storage={shown}"
        assert without_password(f"storage='{text}'") == f"storage={shown}"


def test_a_password_with_an_at_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError, match="more than one @ .* write an @ in a password as %40") as caught:
        check_storage("postgresql://me:hid@den@host/base")
    assert "den" not in str(caught.value)


def test_an_error_does_not_quote_the_password() -> None:
    cause = Exception('role "me"\n  s3:cr@t was refused')
    error = OperationalError("SELECT 1", {}, cause)
    assert reason_of(error, SECRET) == 'role "me" *** was refused'
    wrapped = StorageInternalError("something with the commit")
    wrapped.__cause__ = error
    assert reason_of(wrapped, SECRET) == reason_of(error, SECRET)
    assert reason_of(ValueError(f"bad {SECRET}"), SECRET) == "bad postgresql://me:***@host:5432/base"


@pytest.mark.parametrize(
    ("storage", "message"),
    [
        ("nothing://here", "storage=nothing://here is no URL of a database that SQLAlchemy knows .*; write postgresql"),
        ("postgresql://me:hidden@host:port/base", r"storage=postgresql://me:\*\*\*@host:port/base is no URL"),
        ("sqlite:////no/such/folder/x.db", "storage=sqlite:////no/such/folder/x.db cannot be used .*unable to open"),
        ("mysql+pymysql://host/base", "needs the package pymysql, which is not installed; install pymysql"),
    ],
)
def test_a_storage_that_cannot_be_used_is_one_line(storage: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        open_storage(storage, tmp_path)
    assert "\n" not in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_driver_that_is_missing_is_named_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_module, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"needs the package psycopg, .* pip install 'scbench\[postgresql\]', or pip"):
        open_storage("postgresql://me:hidden@localhost:1/none", tmp_path)
    with pytest.raises(
        ConfigError, match="needs the package psycopg2, which is not installed; pip install psycopg2-binary"
    ):
        open_storage("postgresql+psycopg2://localhost:1/none", tmp_path)


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(
        ConfigError, match=r"storage=postgresql://me:\*\*\*@localhost:1/none cannot be used \(.*refused"
    ) as caught:
        open_storage("postgresql://me:hidden@localhost:1/none", tmp_path)
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_connection_is_tried_before_it_is_used_and_not_waited_for_without_end() -> None:
    assert _engine_kwargs("postgresql://a/b") == {"pool_pre_ping": True, "connect_args": {"connect_timeout": 10}}
    assert _engine_kwargs("mysql://a/b") == {"pool_pre_ping": True}


def test_a_study_has_one_folder(tmp_path: Path) -> None:
    study, other = (optuna.create_study(study_name=name) for name in "ab")
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    claim_folder(study, here)
    claim_folder(study, here)
    with pytest.raises(ConfigError, match=f"study a has another folder than {there}, in which .*give the out= that"):
        claim_folder(study, there)
    with pytest.raises(ConfigError, match=f"the folder {here} has a study in another storage; give the storage="):
        claim_folder(other, here)
