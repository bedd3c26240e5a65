"""``python -m scbench.archive pack FILE`` and ``unpack FILE``: runs of a store in one file, and back.

An archive (a compressed tar) holds record, labels and history of each run; ``--with`` takes more along. Absolute
paths in provenance, errors and sources are cut. The same runs give the same bytes. Unpacking never replaces a result
and believes nothing: every field and file is checked, keys are made anew, and scores too where a run's dataset is here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scbench.arguments import Parser
from scbench.errors import ConfigError, ScbenchError
from scbench.escape import one_line
from scbench.messages import complain
from scbench.names import check_choice

if TYPE_CHECKING:  # imported where it is used: --help needs none of its packages
    from scbench.store.archive.pack import Unpacked

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Pack or unpack, and say how many runs.

    Returns:
        0, 2 when the command or a file is wrong, or 130 after Ctrl-C.
    """
    try:
        sys.stdout.write(one_line(_run(_options(arguments))) + "\n")
    except ScbenchError as error:
        complain(error)
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; run the same command again to go on\n")
        return 130
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="python -m scbench.archive", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", help="pack or unpack")
    parser.add_argument("file", help="the archive, such as runs.tar.xz")
    parser.add_argument("store", nargs="?", default="results/runs", help="folder of the store (default %(default)s)")
    parser.add_argument("--with", dest="also", default="", metavar="A,B", help="pack also: snapshots, embedding, soft")
    parser.add_argument("--any-size", action="store_true", help="unpack what holds far more than its size lets expect")
    options = parser.parse_args(arguments)
    check_choice("action", options.action, ("pack", "unpack"))
    if options.file.startswith("store="):
        raise ConfigError(f"the archive comes before the store: {options.action} FILE {options.file}")
    if options.also and options.action == "unpack":
        raise ConfigError("--with is for pack; unpack takes all that an archive holds")
    if options.any_size and options.action == "pack":
        raise ConfigError("--any-size is for unpack; pack takes a store of any size")
    options.store = options.store.removeprefix("store=")
    return options


def _run(options: argparse.Namespace) -> str:
    """Do what was asked for and return what there is to say."""
    from scbench.store.archive.pack import FILES, pack, unpack
    from scbench.store.store import Store

    path, store = Path(options.file).expanduser(), Store(options.store)
    if options.action == "unpack":
        found = unpack(path, store, any_size=options.any_size)
        known = f"; {found.n_known} were there before" if found.n_known else ""
        return f"{found.n_new} runs unpacked to {store.root}{known}{_scored(found)}"
    also = [name for name in options.also.split(",") if name]
    for name in also:
        check_choice("file to pack", name, tuple(FILES))
    n_runs = pack(store, path, tuple(dict.fromkeys(["labels", "history", *also])))
    n_bytes = path.stat().st_size
    size = f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.1f} kB"
    return f"{n_runs} runs packed into {path} ({size})"


def _scored(found: Unpacked) -> str:
    """Return for how many results the scores were made anew."""
    if not found.n_ok:
        return ""
    agree = f"; scores of {found.n_scored} of {found.n_ok} results made anew from their labels" + (
        ", and they agree" if found.n_scored else ""
    )
    rest = found.n_ok - found.n_scored
    return agree + (f"; for {rest} the labels of the run or of its dataset are not here" if rest else "")


if __name__ == "__main__":
    sys.exit(main())
