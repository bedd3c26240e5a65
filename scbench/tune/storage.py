"""Where Optuna keeps a study: a file in the study's folder, or a database."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from optuna.exceptions import OptunaError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from scbench.errors import ConfigError
from scbench.tune.locked import WAIT_SECONDS, lock_told, sqlite_file
from scbench.tune.storage_choice import password_of, without_password

__all__ = ["open_storage", "reason_of", "storage_url"]

_CONNECT_SECONDS = 10  # that a server is waited for; it may be behind a wall that never answers
_SHOWN = 300
_POSTGRESQL_DRIVERS = ("psycopg", "psycopg2")  # SQLAlchemy's usual one has changed between its versions
_INSTALLS = {
    "psycopg": "pip install 'scbench[postgresql]', or pip install 'psycopg[binary]'",
    "psycopg2": "pip install psycopg2-binary",
}


def storage_url(storage: str, folder: Path) -> str:
    """Return where a study is kept, as ``optuna-dashboard`` takes it; for PostgreSQL with the driver that is here."""
    if storage == "sqlite":
        return f"sqlite:///{folder / 'study.db'}"
    if storage == "journal":
        return str(folder / "study.journal")
    scheme, separator, rest = storage.partition("://")
    if scheme not in ("postgresql", "postgres"):
        return storage
    driver = next((name for name in _POSTGRESQL_DRIVERS if find_spec(name) is not None), _POSTGRESQL_DRIVERS[0])
    return f"postgresql+{driver}{separator}{rest}"


def open_storage(storage: str, folder: Path) -> BaseStorage:
    """Return Optuna's storage; the folder has to be absolute, or the lock of a journal never recovers from a crash.

    Raises:
        ConfigError: when the URL is none, its driver is not installed, or the database cannot be reached.
        StudyLockedError: when another program has locked the file of SQLite.
    """
    where = storage_url(storage, folder)
    if storage == "journal":
        return JournalStorage(JournalFileBackend(where))
    shown = without_password(storage)
    _check_driver(where, shown)
    try:
        with lock_told(sqlite_file(where)):
            return RDBStorage(where, engine_kwargs=_engine_kwargs(where))
    except (ImportError, OSError, ValueError, SQLAlchemyError) as error:
        raise ConfigError(
            f"storage={shown} cannot be used ({reason_of(error, storage)}); correct the URL or start the server, or "
            "use storage=sqlite or journal"
        ) from error


def reason_of(error: BaseException, storage: str) -> str:
    """Return what an error of a storage says, in one line and without the password of its URL."""
    cause = error
    while isinstance(cause, OptunaError) and cause.__cause__ is not None:  # Optuna's own words only guess at it
        cause = cause.__cause__
    cause = getattr(cause, "orig", None) or cause  # of SQLAlchemy's, what the database has said
    text = " ".join(str(cause).split())[:_SHOWN]
    password = password_of(storage)
    return text.replace(storage, without_password(storage)).replace(password, "***") if password else text


def _check_driver(url: str, shown: str) -> None:
    """Refuse a URL that SQLAlchemy has no driver for."""
    try:
        make_url(url).get_dialect().import_dbapi()
    except ImportError as error:
        name = str(error.name or error)
        install = _INSTALLS.get(name.partition(".")[0], f"install {name}")
        raise ConfigError(f"storage={shown} needs the package {name}, which is not installed; {install}") from error
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise ConfigError(
            f"storage={shown} is no URL of a database that SQLAlchemy knows ({reason_of(error, url)}); write "
            "postgresql://user@host/base, or use storage=sqlite or journal"
        ) from error


def _engine_kwargs(url: str) -> dict[str, Any]:
    """Return the settings of the connections."""
    if url.startswith("sqlite:"):
        return {"connect_args": {"timeout": WAIT_SECONDS}}
    # Between two trials hours may pass, after which a server may have ended the connection.
    settings: dict[str, Any] = {"pool_pre_ping": True}
    if url.startswith("postgresql"):
        settings["connect_args"] = {"connect_timeout": _CONNECT_SECONDS}
    return settings
