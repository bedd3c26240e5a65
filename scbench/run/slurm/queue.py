"""What SLURM's own commands say about jobs, asked for by name: a job is known before anybody has noted its number."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from scbench.errors import ConfigError

__all__ = ["JobState", "cancel", "require_slurm", "states"]

# Ends that SLURM does not undo by itself. A requeued job is pending again.
_OVER = (
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
)
_NAMES_AT_ONCE = 50
_SECONDS = 60


@dataclass(frozen=True)
class JobState:
    """One job of an array as the queue has it.

    Attributes:
        number: as people write it, such as ``12_3``.
        state: SLURM's word, such as ``RUNNING``.
    """

    number: str
    state: str

    @property
    def is_over(self) -> bool:
        """Return whether it has ended."""
        return self.state in _OVER


def require_slurm() -> None:
    """Check that jobs can be submitted from here.

    Raises:
        ConfigError: when a command of SLURM, or submitit, is not installed.
    """
    missing = [command for command in ("sbatch", "squeue", "scancel") if shutil.which(command) is None]
    if missing:
        raise ConfigError(
            f"engine=slurm needs {', '.join(missing)}, not found on PATH; start the command on a node of the cluster "
            "that jobs are submitted from, or use engine=local"
        )
    try:
        import submitit  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"engine=slurm needs submitit, which cannot be imported ({error}); pip install 'scbench[cluster]'"
        ) from error


def states(names: Sequence[str]) -> dict[tuple[str, int], JobState] | None:
    """Return the state of each job of the arrays of these names, by name and index; None when SLURM does not answer.

    Jobs that ended long ago are not in the queue any more, and not in the answer.
    """
    found: dict[tuple[str, int], JobState] = {}
    for start in range(0, len(names), _NAMES_AT_ONCE):
        some = ",".join(names[start : start + _NAMES_AT_ONCE])
        lines = _ask("squeue", "--noheader", "--array", "--states=all", f"--name={some}", "--format=%j|%F|%K|%T")
        if lines is None:
            return None
        for line in lines:
            name, number, index, state = line.split("|")
            is_array = index.isdecimal()
            whole = f"{number}_{index}" if is_array else number
            found[name, int(index) if is_array else 0] = JobState(whole, state.split()[0])
    return found


def cancel(names: Sequence[str]) -> bool:
    """End the jobs of these names; return whether SLURM took the order."""
    return all(_ask("scancel", f"--name={name}") is not None for name in names)


def _ask(*command: str) -> list[str] | None:
    """Return the lines that a command prints, or None when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.splitlines() if done.returncode == 0 else None
