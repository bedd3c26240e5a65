"""The process in which the runs of a comparison are planned and made, apart from the user's own.

The engine starts its processes through ``multiprocessing``, which imports the main script of the process that asks. A
user's script would be run a second time by that, so the runs are asked for from here.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from scbench.data.dataset import Dataset
from scbench.errors import ScbenchError
from scbench.own_cells.comparison.runs import MethodRuns, compose, make_runs

__all__ = ["main", "runs_of"]

_CODE = "import sys; sys.path[:] = {path!r}; from scbench.own_cells.comparison.child import main; main({folder!r})"
_REQUEST, _ANSWER = "request.pickle", "answer.pickle"


def runs_of(
    methods: Mapping[str, Sequence[str]], common: Sequence[str], *, progress: bool
) -> tuple[Dataset, list[MethodRuns]]:
    """Return dataset and runs of :func:`scbench.own_cells.comparison.runs.make_runs`, made in a process of their own.

    What is logged and, with ``progress``, shown there comes out on this process's stderr. Ctrl-C is handed on.

    Args:
        methods, common: see :func:`scbench.own_cells.comparison.runs.compose`.
        progress: show the runs as they go on.

    Raises:
        ScbenchError: as it was raised there.
        RuntimeError: the process died.
    """
    with tempfile.TemporaryDirectory(prefix="scbench-") as folder:
        request = {
            "methods": methods,
            "common": common,
            "progress": progress,
            "argv": ["scbench.compare", *sys.argv[1:]],
        }
        (Path(folder) / _REQUEST).write_bytes(pickle.dumps(request))
        status = _run(_CODE.format(path=[entry or os.getcwd() for entry in sys.path], folder=folder))
        answer = Path(folder) / _ANSWER
        if not answer.exists():
            raise RuntimeError(f"the process that makes the runs ended with status {status}; its last lines are above")
        found = pickle.loads(answer.read_bytes())
    if isinstance(found, BaseException):
        raise found
    dataset, runs = found
    return dataset, runs


def _run(code: str) -> int:
    """Run code in a new Python and return its exit status."""
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    # -P: a file beside the user's script must not stand for a module. A session of its own: Ctrl-C comes through here.
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=None if is_terminal else subprocess.PIPE,
        start_new_session=True,
    )
    try:
        if process.stderr is not None:  # a notebook shows what is written to its own stderr, which is no file
            for line in process.stderr:
                sys.stderr.write(line.decode("utf-8", "replace"))
        return process.wait()
    except BaseException:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise


def main(folder: str) -> None:
    """Make the runs that are asked for in ``folder`` and leave there what came of them."""
    from scbench.messages import show_messages

    show_messages()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    request = pickle.loads((Path(folder) / _REQUEST).read_bytes())
    answer: object
    try:
        answer = make_runs(
            compose(request["methods"], request["common"]), request["argv"], progress=request["progress"]
        )
    except (ScbenchError, KeyboardInterrupt) as error:
        answer = error
    staged = Path(folder) / f"{_ANSWER}.part"
    staged.write_bytes(pickle.dumps(answer))
    staged.replace(Path(folder) / _ANSWER)


def _end_with_parent() -> None:
    """Stop the runs when the process that asked for them is gone."""
    while os.read(0, 1):  # unbuffered: a lock of stdin would be held at exit
        pass
    os.kill(os.getpid(), signal.SIGINT)
