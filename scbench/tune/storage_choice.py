"""Where a study is to be kept, as the command says it, and how that is written where others may read it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from scbench.errors import ConfigError
from scbench.names import check_choice

__all__ = ["check_storage", "choose_storage", "password_of", "without_password"]

_FILES = {"sqlite": "study.db", "journal": "study.journal"}
_IN_HOST = re.compile(r"(?P<before>^[^:/?]+://[^:/@?]*:)(?P<password>[^@]*)(?=@)")  # as SQLAlchemy reads it
_IN_QUERY = re.compile(r"(?P<before>[?&]password=)(?P<password>[^&]*)")


def check_storage(storage: str) -> None:
    """Refuse what names no storage.

    Raises:
        ConfigError: for an unknown name, or a URL whose password would be read in another way than it is meant.
    """
    if "://" not in storage:
        check_choice("storage (or a URL such as postgresql://host/base)", storage, ("auto", *_FILES))
    elif storage.partition("?")[0].count("@") > 1:
        raise ConfigError(
            "storage has more than one @ before the name of the database; write an @ in a password as %40"
        )


def choose_storage(asked: str, folder: Path, *, is_shared: bool) -> str:
    """Return ``sqlite``, ``journal`` or a URL.

    Args:
        asked: the same, or ``auto``: what the study is kept in already, else sqlite, or a journal when it is shared.
        folder: of the study.
        is_shared: whether jobs on several nodes will write to it.

    Raises:
        ConfigError: when the study is kept in another file, or in one that several nodes cannot write to.
    """
    here = next((name for name, file in _FILES.items() if (folder / file).exists()), None)
    chosen = asked
    if asked == "auto":
        chosen = here or ("journal" if is_shared else "sqlite")
    elif here not in (None, asked):
        raise ConfigError(
            f"the study in {folder} is kept in {_FILES[here or '']}, not in storage={without_password(asked)}; "
            "leave storage= out to go on with it, or choose another name with study=..."
        )
    if is_shared and chosen.partition(":")[0] == "sqlite":
        there = f"the study in {folder} is kept in study.db, and " if here == "sqlite" else ""
        raise ConfigError(
            f"{there}engine=slurm cannot use storage=sqlite, which several nodes must not write to; use "
            "storage=journal or postgresql://... for a new study (study=... names it), or engine=local"
        )
    if is_shared and password_of(chosen) is not None:
        raise ConfigError(
            f"storage={without_password(chosen)} holds a password, which would be written to the files of the jobs; "
            "leave it out of the URL and put it into ~/.pgpass or the environment (PGPASSWORD), which jobs inherit"
        )
    return chosen


def without_password(text: str) -> str:
    """Return a storage, or an argument that gives one, as it may be printed and stored."""
    key, separator, value = text.partition("=") if text.lstrip("+").startswith("storage=") else ("", "", text)
    hidden = _IN_HOST.sub(r"\g<before>***", value.strip("'\"")) if "://" in value else value
    return key + separator + (_IN_QUERY.sub(r"\g<before>***", hidden) if "://" in value else hidden)


def password_of(storage: str) -> str | None:
    """Return the password in a URL, None when there is none."""
    found = _IN_HOST.search(storage) or _IN_QUERY.search(storage) if "://" in storage else None
    return unquote(found["password"]) if found else None
