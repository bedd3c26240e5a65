"""One process at work on a study: it opens the study, makes trials on its slots, and leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import OptunaError
from sqlalchemy.exc import SQLAlchemyError

from scbench.config.schema import RunConfig
from scbench.errors import StoreError
from scbench.tune.driver import make_trials
from scbench.tune.locked import lock_told, sqlite_file
from scbench.tune.options import TuneOptions
from scbench.tune.ownership import Owner
from scbench.tune.progress import say
from scbench.tune.searches import NamedSearch
from scbench.tune.storage import reason_of, storage_url
from scbench.tune.study import Study, open_study

__all__ = ["failures_told", "opened_study", "take_part"]


def take_part(
    named: NamedSearch, config: RunConfig, options: TuneOptions, provenance: Mapping[str, Any], job: str
) -> None:
    """Make trials of a study in a SLURM job; the command that has submitted it shows the result.

    Args:
        named, options, provenance: as for :func:`run_search`.
        config: engine and device are taken from it.
        job: number of the job.

    Raises:
        ScbenchError: when a folder cannot be written or the storage cannot be used.
    """
    with opened_study(named, options) as study:
        if not make_trials(study, config, provenance, job):
            say("stopped; another task, or the same command, goes on from here")


@contextmanager
def opened_study(named: NamedSearch, options: TuneOptions) -> Iterator[Study]:
    """Open a study, of which this process is an owner for the length of the block.

    Raises:
        ScbenchError: when its folder cannot be used, or its storage fails on the way.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # what it has to say is said here
    folder = named.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with Owner(folder) as owner, failures_told(folder, options):
            yield open_study(named.search, named.name, folder, options.storage, options.n_trials, owner)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(
            f"the study's folder {folder} cannot be used ({error}); choose another with out=DIR"
        ) from error


@contextmanager
def failures_told(folder: Path, options: TuneOptions) -> Iterator[None]:
    """Turn what a study's storage raises into one line.

    Raises:
        StudyLockedError: when another program has locked its file.
        StoreError: when it has failed in another way.
    """
    try:
        with lock_told(sqlite_file(storage_url(options.storage, folder))):
            yield
    except (OptunaError, SQLAlchemyError) as error:
        reason = reason_of(error, options.storage)
        raise StoreError(f"the study's storage has failed ({reason}); mend it, and the same command goes on") from error
