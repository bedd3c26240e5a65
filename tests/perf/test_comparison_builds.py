"""Builds side by side: names of parameters, and commits that cannot be compared with."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from comparison.builds import Build, CannotCompare, build_of_commit, translated

OLD = {"toy": ({"n_genes", "graph", "graph.k", "epochs"}, {})}
NEW = {
    "toy": ({"n_top_genes", "n_neighbors", "epochs", "budget"}, {"n_top_genes": "n_genes", "n_neighbors": "graph.k"})
}


def build(name: str, names: Mapping[str, tuple[set[str], dict[str, str]]]) -> Build:
    return Build(name, Path("nowhere"), {"gone": (set(), {}), **names})


@pytest.mark.parametrize(
    ("given", "for_old", "for_new"),
    [
        ({"n_top_genes": 5}, {"n_genes": 5}, {"n_top_genes": 5}),
        ({"n_genes": 5}, {"n_genes": 5}, {"n_top_genes": 5}),
        ({"n_neighbors": 3, "epochs": 1}, {"graph.k": 3, "epochs": 1}, {"n_neighbors": 3, "epochs": 1}),
        ({"budget": "fast"}, "10e5237 has no parameter budget of toy", {"budget": "fast"}),
        ({}, {}, {}),
    ],
)
def test_each_build_is_given_its_own_names(given: dict[str, object], for_old: object, for_new: object) -> None:
    old, new = build("10e5237", OLD), build("new", NEW)
    assert translated(old, "toy", given, (old, new)) == for_old
    assert translated(new, "toy", given, (old, new)) == for_new


def test_a_build_without_the_method_says_so() -> None:
    assert translated(build("abc", OLD), "gone", {}, ()) == "abc has no method gone"


def commit(folder: Path, files: Mapping[str, str]) -> None:
    """Make a repository with one commit."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)


PLUGINS = {"scbench/plugins.py": "", "methods/__init__.py": "", "conf/__init__.py": ""}


def test_an_unknown_commit_is_refused_in_one_line(tmp_path: Path) -> None:
    commit(tmp_path, {"a": ""})
    for unknown in ("0123abc", "--all", ""):
        with pytest.raises(
            CannotCompare, match=rf"^compare={unknown} is no commit of \S+; use one that git log shows$"
        ):
            build_of_commit(unknown, tmp_path / "out", tmp_path)


def test_a_commit_without_the_folders_is_refused(tmp_path: Path) -> None:
    commit(tmp_path, {"a": ""})
    with pytest.raises(CannotCompare, match=r"^compare=HEAD has not the folders scbench, methods, conf: .*$"):
        build_of_commit("HEAD", tmp_path / "out", tmp_path)


def test_a_commit_that_cannot_be_run_is_refused(tmp_path: Path) -> None:
    commit(tmp_path / "it", {**PLUGINS, "scbench/__init__.py": "import not_installed_anywhere"})
    with pytest.raises(
        CannotCompare, match=r"^compare=HEAD cannot be run .*: ModuleNotFoundError: .*not_installed_anywhere'$"
    ):
        build_of_commit("HEAD", tmp_path / "out", tmp_path / "it")


def test_a_commit_is_run_from_its_own_folder(tmp_path: Path) -> None:
    commit(tmp_path / "it", {**PLUGINS, "scbench/__init__.py": "VALUE = 'committed'"})
    (tmp_path / "it" / "scbench" / "__init__.py").write_text("VALUE = 'changed since'")
    made = build_of_commit("HEAD", tmp_path / "out", tmp_path / "it")
    assert (
        made.python("-c", "import scbench, scbench.conf, scbench_methods; print(scbench.VALUE)").stdout == "committed\n"
    )
