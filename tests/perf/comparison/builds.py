"""A build of scbench in a folder of its own: the working tree as it is now, or a commit; nothing is installed.

Both are copies, so a file that is changed during the comparison changes nothing, and a commit's modules may have other
names. The interpreter and all other packages are those that run the comparison.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Build", "CannotCompare", "build_of_commit", "build_of_tree", "translated"]

ROOT = Path(__file__).parents[3]
_CODE = ("scbench", "methods", "conf")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_WHERE = "import scbench, scbench.plugins, scbench_methods; print(scbench.__file__)"
# Prints the dotted names of all fields of a configuration, and earlier names of fields by their current ones.
_NAMES = """
import dataclasses, json, sys
from scbench.plugins import find

def names(schema, group=""):
    for field in dataclasses.fields(schema):
        yield group + field.name
        if dataclasses.is_dataclass(field.default_factory):
            yield from names(field.default_factory, f"{group}{field.name}.")

schema = find(sys.argv[1]).config_class()
former = {f.name: f.metadata["stored_as"] for f in dataclasses.fields(schema) if f.metadata.get("stored_as")}
print(json.dumps([list(names(schema)), former]))
"""


class CannotCompare(Exception):  # noqa: N818 - its message is the line that the user sees
    """There is nothing to compare; the message says why."""


@dataclass(frozen=True)
class Build:
    """One build.

    Attributes:
        name: ``new``, or the commit as it was asked for.
        folder: what stands first on the path of Python; caches and working folders are beside it.
    """

    name: str
    folder: Path
    _names: dict[str, tuple[set[str], dict[str, str]]] = field(default_factory=dict, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of its processes: its code, its own cache, one thread, nobody's command line."""
        path = os.pathsep.join(filter(None, (str(self.folder), os.environ.get("PYTHONPATH"))))
        own = {"PYTHONPATH": path, "SCBENCH_CACHE": str(self.folder.parent / f"cache-{self.folder.name}")}
        return {**os.environ, **dict.fromkeys(_THREADS, "1"), **own}

    def python(self, *words: str, limit_seconds: float | None = None) -> subprocess.CompletedProcess[str]:
        """Run its Python to the end, in a folder that holds no code; subprocess.TimeoutExpired after the limit."""
        return subprocess.run(
            [sys.executable, "-P", *words],
            env=self.environment,
            cwd=self.folder.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_seconds,
        )

    def names_of(self, method: str) -> tuple[set[str], dict[str, str]]:
        """Return the (dotted) parameters of a method, and earlier names by the current one; none without the method."""
        if method not in self._names:
            done = self.python("-c", _NAMES, method)
            fields, former = json.loads(done.stdout) if done.returncode == 0 else ([], {})
            self._names[method] = set(fields), former
        return self._names[method]


def translated(build: Build, method: str, params: Mapping[str, Any], others: tuple[Build, ...]) -> dict[str, Any] | str:
    """Return parameters by the names of a build, or why it cannot be given them.

    Args:
        build: who is given them.
        method: its name.
        params: by dotted names of any of the builds.
        others: know names that have changed (``stored_as`` of a field).
    """
    known, _ = build.names_of(method)
    if not known:
        return f"{build.name} has no method {method}"
    pairs = [pair for other in (build, *others) for pair in other.names_of(method)[1].items()]
    given = {}
    for name, value in params.items():
        same = {name, *(former for current, former in pairs if current == name)}
        same |= {current for current, former in pairs if former == name}
        found = sorted(same & known, key=lambda each: each != name)
        if not found:
            return f"{build.name} has no parameter {name} of {method}"
        given[found[0]] = value
    return given


def build_of_tree(folder: Path) -> Build:
    """Return a copy of the working tree.

    Raises:
        CannotCompare: when it cannot be run.
    """
    for name in _CODE:
        ignored = shutil.ignore_patterns("__pycache__", "conf" if name == "scbench" else "")
        shutil.copytree(ROOT / name, folder / "unpacked" / name, ignore=ignored)
    return _arranged("new", folder)


def build_of_commit(commit: str, folder: Path, root: Path = ROOT) -> Build:
    """Return the code of a commit.

    Raises:
        CannotCompare: when there is no such commit, or it cannot be run.
    """
    asked = ["git", "-C", str(root)]
    try:
        found = subprocess.run(
            [*asked, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise CannotCompare(f"compare={commit}: git cannot be run ({error})") from None
    if found.returncode != 0:
        raise CannotCompare(f"compare={commit} is no commit of {root}; use one that git log shows")
    packed = subprocess.run([*asked, "archive", found.stdout.strip(), *_CODE], capture_output=True, check=False)
    if packed.returncode != 0:
        reason = (packed.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]
        raise CannotCompare(f"compare={commit} has not the folders {', '.join(_CODE)}: {reason}")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    return _arranged(commit, folder)


def _arranged(name: str, folder: Path) -> Build:
    """Give the folders the names that they are imported by, as ``package-dir`` of pyproject.toml says, and try them."""
    unpacked = folder / "unpacked"
    (unpacked / "conf").rename(unpacked / "scbench" / "conf")
    (unpacked / "methods").rename(folder / "scbench_methods")
    (unpacked / "scbench").rename(folder / "scbench")
    unpacked.rmdir()
    build = Build(name, folder)
    done = build.python("-c", _WHERE)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CannotCompare(f"compare={name} cannot be run with the packages installed here: {reason}")
    if not Path(done.stdout.strip()).is_relative_to(folder):
        raise CannotCompare(f"compare={name}: Python takes scbench from {done.stdout.strip()}, not from {folder}")
    return build
