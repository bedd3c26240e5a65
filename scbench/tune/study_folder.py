"""The one folder of a study: its runs and its locks lie there, wherever its trials are noted."""

from __future__ import annotations

import secrets
from pathlib import Path

import optuna

from scbench.errors import ConfigError

__all__ = ["claim_folder"]

_ATTRIBUTE = "home"
_FILE = "study.id"


def claim_folder(study: optuna.Study, folder: Path) -> None:
    """Tie a new study to its folder; refuse a study of another folder, and a folder of another study.

    A database may be reached from machines that do not share the folder. There each would take the others' trials for
    those of dead processes, and make more trials than asked for.

    Args:
        study: Optuna's.
        folder: of the study, the lock of which is held.

    Raises:
        ConfigError: when folder and study do not belong together.
    """
    path = folder / _FILE
    there = study.user_attrs.get(_ATTRIBUTE)
    here = path.read_text(encoding="utf-8").strip() if path.exists() else None
    if there is None and here is None:
        name = secrets.token_hex(8)
        path.write_text(f"{name}\n", encoding="utf-8")
        study.set_user_attr(_ATTRIBUTE, name)
    elif there is None:
        raise ConfigError(
            f"the folder {folder} has a study in another storage; give the storage= that it was made with, or choose "
            "another name with study=..."
        )
    elif there != here:
        raise ConfigError(
            f"study {study.study_name} has another folder than {folder}, in which its runs and locks are; give the "
            "out= that it was made with, or choose another name with study=..."
        )
