"""The command ``python -m scbench.datasets``: which datasets there are, where they are, how to get them."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from scbench.arguments import Parser
from scbench.data.config import RegisteredDataset, SourceFile
from scbench.data.file_index import FileIndex
from scbench.data.locate import Located, locate
from scbench.data.registry import dataset_names, is_verifiable, load_dataset
from scbench.errors import ConfigError, DataError, ScbenchError
from scbench.escape import one_line
from scbench.messages import LineFormat, complain

__all__ = ["main"]

logger = logging.getLogger("scbench.datasets")  # also when run as __main__

_HERE = "here"
_REMOTE = "remote"
_NO_SOURCE = "no verified source"
_WRONG = "wrong checksum"
_COLUMNS = ("name", "cells", "genes", "types", "papers", "bytes", "where")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One dataset and where it is; ``problem`` says what is wrong with a file of its name."""

    config: RegisteredDataset
    located: Located | None
    where: str
    problem: str = ""

    @property
    def size_bytes(self) -> int | None:
        """Size of the data file, here or as recorded."""
        if self.located is not None:
            return self.located.path.stat().st_size
        return next((source.size_bytes for source in self.config.files if source.size_bytes is not None), None)


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 2 after a mistake or failure, 130 when interrupted."""
    package = logging.getLogger("scbench")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormat())
    level = package.level
    package.addHandler(handler)
    package.setLevel(logging.INFO)
    try:
        options = _parser().parse_args(argv)
        status = _run(options)
        sys.stdout.flush()
        return status
    except ScbenchError as error:
        complain(error)
        return 2
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # the reader has seen enough; spares the flush at exit
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; run the same command again to go on\n")
        return 130
    finally:
        package.removeHandler(handler)
        package.setLevel(level)


def _run(options: argparse.Namespace) -> int:
    if options.command == "list":
        return _list(only_here=options.here)
    if options.command == "info":
        return _info(options.name)
    return _fetch(options.names, everything=options.all, verify=not options.no_verify)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m scbench.datasets", description="The registered datasets.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="{list,info,fetch}")
    listing = commands.add_parser("list", help="all datasets and where they are")
    listing.add_argument("--here", action="store_true", help="only those on this machine")
    info = commands.add_parser("info", help="all that is on record about one dataset")
    info.add_argument("name", metavar="D", help="name of a dataset")
    fetching = commands.add_parser("fetch", help="download and verify datasets")
    fetching.add_argument("names", metavar="D", nargs="*", help="name of a dataset")
    fetching.add_argument("--all", action="store_true", help="every dataset with a verified source")
    fetching.add_argument(
        "--no-verify",
        action="store_true",
        help="accept files of unknown or wrong checksum (dataset.verify=false)",
    )
    return parser


def _list(*, only_here: bool) -> int:
    entries = _entries(dataset_names())
    shown = [entry for entry in entries if entry.where == _HERE or not only_here]
    if sys.stdout.isatty():
        _show_table(shown, entries)
        return 0
    sys.stdout.write("\t".join(_COLUMNS) + "\n")
    for entry in shown:
        sys.stdout.write("\t".join(map(one_line, _cells(entry))) + "\n")
    return 0


def _show_table(shown: Sequence[_Entry], entries: Sequence[_Entry]) -> None:
    from rich.console import Console
    from rich.filesize import decimal

    from scbench.consoles import PlainTable

    counts = Counter(entry.where for entry in entries)
    kinds = [where for where in (_HERE, _REMOTE, _NO_SOURCE, _WRONG) if counts[where]]
    footer = f"{len(entries)} datasets: " + ", ".join(f"{counts[where]} {where}" for where in kinds)
    table = PlainTable(caption=footer, caption_justify="left")
    for column in _COLUMNS:
        is_number = column in ("cells", "genes", "types", "bytes")
        title = column if column != "bytes" else "size"
        table.add_column(title, justify="right" if is_number else "left", overflow="fold")
    for entry in shown:
        cells = _cells(entry)
        size = decimal(entry.size_bytes) if entry.size_bytes is not None else ""
        table.add_row(*cells[:4], ", ".join(entry.config.papers), size, entry.where)
    Console().print(table)


def _cells(entry: _Entry) -> list[str]:
    config = entry.config
    numbers = ["" if number is None else str(number) for number in (config.cells, config.genes, config.types)]
    size = "" if entry.size_bytes is None else str(entry.size_bytes)
    return [config.name, *numbers, ",".join(config.papers), size, entry.where]


def _info(name: str) -> int:
    entry = _entry(load_dataset(name), FileIndex())
    where = entry.where
    if entry.located is not None:
        where += f": {entry.located.path} ({entry.located.origin})"
        if entry.located.label_path is not None:
            where += f", labels {entry.located.label_path}"
    elif entry.problem:
        where += f": {entry.problem}"
    _write_facts(entry.config, "")
    for position, source in enumerate(entry.config.files, start=1):
        sys.stdout.write(f"file {position}:\n")
        _write_facts(source, "  ")
    sys.stdout.write(f"where: {one_line(where)}\n")
    return 0


def _write_facts(config: RegisteredDataset | SourceFile, indent: str) -> None:
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name == "files" or value is None or value in ("", []):
            continue
        if isinstance(value, bool):
            text = str(value).lower()
        else:
            text = ", ".join(value) if isinstance(value, list) else " ".join(str(value).split())
        sys.stdout.write(f"{indent}{field.name}: {one_line(text)}\n")


def _fetch(names: Sequence[str], *, everything: bool, verify: bool) -> int:
    from scbench.data.fetch import fetch

    if everything == bool(names):
        raise ConfigError("name the datasets to fetch, or give --all; 'list' shows their names")
    if everything:
        entries = _entries(dataset_names())
        configs = [entry.config for entry in entries if entry.where != _NO_SOURCE]
        logger.info("%d datasets without a verified source are left out", len(entries) - len(configs))
    else:
        configs = [load_dataset(name) for name in names]
    failed = False
    for config in configs:
        try:
            located = fetch(replace(config, verify=config.verify and verify))
        except DataError as error:
            complain(error)
            failed = True
        else:
            sys.stdout.write("\t".join(map(one_line, (config.name, located.path, located.origin))) + "\n")
    return 2 if failed else 0


def _entries(names: Sequence[str]) -> list[_Entry]:
    """Return the readable entries of the registry; the others are a logged warning."""
    index = FileIndex()
    entries = []
    for name in names:
        try:
            entries.append(_entry(load_dataset(name), index))
        except ConfigError as error:
            logger.warning("%s is left out: %s", name, error)
    return entries


def _entry(config: RegisteredDataset, index: FileIndex) -> _Entry:
    try:
        located = locate(config, index)
    except DataError as error:
        return _Entry(config, None, _WRONG, str(error))
    if located is not None:
        return _Entry(config, located, _HERE)
    is_remote = any(is_verifiable(source) for source in config.files)
    return _Entry(config, None, _REMOTE if is_remote else _NO_SOURCE)


if __name__ == "__main__":
    sys.exit(main())
