"""What a user sees of a download: a bar on a terminal, a log line elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from scbench.escape import one_line

__all__ = ["progress_bar"]

logger = logging.getLogger(__name__)


@contextmanager
def progress_bar(
    url: str, target: Path, size_bytes: int | None, shown: bool
) -> Iterator[Callable[[int, int | None], None]]:
    """Yield a function of (bytes so far, bytes in all or None) that shows how far a download is.

    The bar goes to standard error, and only to a terminal; otherwise the start is logged.
    """
    console = Console(stderr=True)
    if not (shown and console.is_terminal):
        size = f" ({size_bytes} bytes)" if size_bytes is not None else ""
        logger.info("fetching %s%s", url, size)
        yield lambda done, total: None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(one_line(target.name), total=size_bytes)
        yield lambda done, total: bar.update(task, completed=done, total=total)
