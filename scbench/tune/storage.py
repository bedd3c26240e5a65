"""Where Optuna keeps a study: a file in the study's folder, or a database."""

from __future__ import annotations

from pathlib import Path

from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

__all__ = ["open_storage", "storage_url"]

_WAIT_SECONDS = 60  # that a writer of SQLite waits for another


def storage_url(storage: str, folder: Path) -> str:
    """Return where a study is kept, as ``optuna-dashboard`` takes it."""
    if storage == "sqlite":
        return f"sqlite:///{folder / 'study.db'}"
    return str(folder / "study.journal") if storage == "journal" else storage


def open_storage(storage: str, folder: Path) -> BaseStorage:
    """Return Optuna's storage; the folder has to be absolute, or the lock of a journal never recovers from a crash."""
    where = storage_url(storage, folder)
    if storage == "journal":
        return JournalStorage(JournalFileBackend(where))
    is_sqlite = where.startswith("sqlite:")
    return RDBStorage(where, engine_kwargs={"connect_args": {"timeout": _WAIT_SECONDS}} if is_sqlite else None)
