"""Where a record came from: interpreter, machine, versions, commit and command line."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from scbench import __version__

__all__ = ["collect_provenance"]

_PACKAGES = (
    "anndata",
    "h5py",
    "hydra-core",
    "igraph",
    "numpy",
    "pandas",
    "scanpy",
    "scikit-learn",
    "scipy",
    "torch",
)


def collect_provenance(argv: Sequence[str]) -> dict[str, Any]:
    """Return what all runs of one command share; the engine adds ``started_at`` and the worker its GPU.

    Nothing heavy is imported: versions come from the installed metadata.
    """
    commit, dirty = _git_state()
    return {
        "scbench": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu_name(),
        "gpu": None,
        "driver": _nvidia_driver(),
        "packages": {package: _version(package) for package in _PACKAGES},
        "git_commit": commit,
        "git_dirty": dirty,
        "started_at": None,  # of each run; set when its process starts
        "argv": list(argv),
    }


def _version(package: str) -> str | None:
    """Return the installed version of a package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu_name() -> str:
    """Return the processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _nvidia_driver() -> str | None:
    """Return the version of the NVIDIA driver, or None without one."""
    info = Path("/proc/driver/nvidia/version")
    if not info.exists():
        return None
    words = info.read_text(errors="replace").split()
    return next((word for word in words if word[0].isdigit() and "." in word), None)


def _git_state() -> tuple[str | None, bool | None]:
    """Return commit and dirty flag of the code that runs; None and None when it is not a git checkout."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None, None
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return commit, bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return None, None


def _git(root: Path, *arguments: str) -> str:
    """Return the output of one git command."""
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()
