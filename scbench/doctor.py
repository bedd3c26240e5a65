"""``python -m scbench.doctor``: what is installed, which devices there are, where the data are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from scbench import plugins
from scbench.data.folders import cache_folder, data_folder, search_folders
from scbench.errors import ScbenchError
from scbench.escape import one_line
from scbench.run.local.devices import cores_at_hand
from scbench.run.provenance import collect_provenance

__all__ = ["main"]

_TORCH_REPORT = """
import torch
print("torch", torch.__version__, "with CUDA", torch.version.cuda)
for i in range(torch.cuda.device_count()):
    print(f"cuda:{i}", torch.cuda.get_device_name(i))
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report.

    Returns:
        0 when everything is there, 1 when something needs attention, 2 when the command is wrong.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given in (["-h"], ["--help"]):
        sys.stdout.write(f"{__doc__}\n")
        return 0
    if given:
        sys.stderr.write(f"scbench: doctor takes no arguments, got {given[0]!r}\n")
        return 2
    sound = True
    provenance = collect_provenance([])
    _print_line("scbench", provenance["scbench"])
    _print_line("python", f"{provenance['python']} at {sys.executable}")
    _print_line("machine", f"{provenance['cpu']}, {cores_at_hand()} cores at hand, {provenance['platform']}")
    for package, version in provenance["packages"].items():
        sound &= version is not None
        _print_line(f"  {package}", version or "MISSING: install scbench again")
    _print_line("devices", _torch_report())
    for name, plugin in plugins.discover().items():
        try:
            _print_line(f"method {name}", f"{plugin.package}, {plugin.config_class().__name__}")
        except ScbenchError as error:
            sound = False
            _print_line(f"method {name}", f"BROKEN: {error}")
    for what, folder in (("data folder", data_folder()), ("cache folder", cache_folder())):
        writable = _is_writable(folder)
        sound &= writable
        _print_line(what, f"{folder}, {_free(folder)} free" + ("" if writable else ": NOT WRITABLE"))
    for folder in search_folders():
        _print_line("searched", f"{folder}" + ("" if folder.is_dir() else " (not there)"))
    return 0 if sound else 1


def _print_line(what: str, found: object) -> None:
    """Print one finding."""
    sys.stdout.write(f"{one_line(what):<20} {one_line(found)}\n")


def _torch_report() -> str:
    """Return what torch says about itself, from a process of its own."""
    done = subprocess.run([sys.executable, "-c", _TORCH_REPORT], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"torch cannot be imported: {done.stderr.strip().splitlines()[-1:]}"
    lines = done.stdout.strip().splitlines()
    return "; ".join(lines if len(lines) > 1 else [*lines, "no CUDA device"])


def _existing(folder: Path) -> Path:
    """Return the nearest folder above that exists."""
    while not folder.exists():
        folder = folder.parent
    return folder


def _is_writable(folder: Path) -> bool:
    """Return whether the folder can be written, or made."""
    return os.access(_existing(folder), os.W_OK)


def _free(folder: Path) -> str:
    """Return the free space of a folder's disk."""
    return f"{shutil.disk_usage(_existing(folder)).free / 2**30:.1f} GiB"


if __name__ == "__main__":
    sys.exit(main())
