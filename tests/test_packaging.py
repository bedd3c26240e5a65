"""The wheel holds what runs need, and the installed package works from any folder."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# What each extra is for: the code that may import its packages. Everything else does with the core.
FEATURES = {
    "cluster": ("scbench/run/slurm/", "scbench/tune/slurm_job.py"),
    "dev": ("tests/",),
    "postgresql": (),
    "r": ("scbench/data/readers/r_files/",),
    "report": ("scbench/report/", "scbench/own_cells/comparison/", "scbench/graph/stable_k/"),
    "tune": ("scbench/tune/",),
}
# Distributions by what is imported, where the two differ by more than a hyphen.
DISTRIBUTIONS = {
    "hydra": "hydra-core",
    "markdown_it": "markdown-it-py",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
    "yaml": "pyyaml",
}
DECLARED_ALTHOUGH_NOT_IMPORTED = {
    "psycopg": "SQLAlchemy loads it by the URL of a study",
    "pynndescent": "scanpy brings it; the cap keeps it from a release that fails there",
    "scikit-misc": "scanpy loads it for variable genes of flavour seurat_v3",
    # tools and stubs of development
    "build": "python -m build",
    "mypy": "make lint",
    "pandas-stubs": "mypy",
    "pytest-timeout": "pytest",
    "pytest-xdist": "pytest",
    "ruff": "make lint",
    "scipy-stubs": "mypy",
    "types-psutil": "mypy",
    "types-pyyaml": "mypy",
    "types-requests": "mypy",
}


def declared(requirements: list[str]) -> set[str]:
    """Return the distributions of requirements; extras that scbench asks of itself are followed."""
    names: set[str] = set()
    for requirement in requirements:
        own = re.fullmatch(r"scbench\[(.*)\]", requirement)
        if own is None:
            names.add(re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower())
        else:
            names |= declared([one for extra in own[1].split(",") for one in EXTRAS[extra]])
    return names


EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
CORE = declared(PROJECT["dependencies"])


def imported() -> Iterator[tuple[str, str]]:
    """Yield file and distribution of each import of another project, in functions too."""
    paths = [path for top in ("scbench", "methods", "tests") for path in (ROOT / top).rglob("*.py")]
    own = {"scbench", "scbench_methods", "setuptools", *(path.name for path in (ROOT / "tests" / "toys").iterdir())}
    own |= {path.stem for path in paths if path.is_relative_to(ROOT / "tests")}
    own |= {path.parent.name for path in paths if path.name == "__init__.py" and path.is_relative_to(ROOT / "tests")}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
                names = [node.module]
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("importorskip", "import_module")):
                names = [arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)]
            for name in {name.partition(".")[0] for name in names} - own - sys.stdlib_module_names:
                yield path.relative_to(ROOT).as_posix(), DISTRIBUTIONS.get(name, name.replace("_", "-").lower())


def test_what_is_imported_is_declared_where_it_is_imported() -> None:
    allowed = {extra: CORE | declared(requirements) for extra, requirements in EXTRAS.items()}
    assert set(EXTRAS) == set(FEATURES)
    undeclared = []
    for path, distribution in imported():
        extras = [extra for extra, places in FEATURES.items() if path.startswith(places)]
        if not any(distribution in allowed[extra] for extra in extras) and distribution not in CORE:
            undeclared.append((path, distribution))
    assert undeclared == []


def test_what_is_declared_is_imported() -> None:
    used: dict[str, set[str]] = {}
    for path, distribution in imported():
        used.setdefault(distribution, set()).add(path)
    unused = [name for name in CORE if all(path.startswith("tests/") for path in used.get(name, ()))]
    for extra, requirements in EXTRAS.items():
        own = declared([one for one in requirements if not one.startswith("scbench[")])
        unused += [name for name in own if not any(path.startswith(FEATURES[extra]) for path in used.get(name, ()))]
    assert sorted(unused) == sorted(DECLARED_ALTHOUGH_NOT_IMPORTED)


def test_every_dependency_has_a_tested_version() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
    everything = CORE.union(*map(declared, EXTRAS.values()))
    assert everything - pins == set()


def test_it_runs_from_any_folder(tmp_path: Path) -> None:
    command = ["method=random", "dataset=simulated", "dataset.n_cells=30", "seeds=1", "device=cpu"]
    done = subprocess.run([sys.executable, "-m", "scbench", *command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "results" / "runs").rglob("record.json"))


def test_the_console_script_is_the_same_command(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("scbench")
    done = subprocess.run([script, "run", "metod=x"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Did you mean 'method'" in done.stderr
    done = subprocess.run([script, "datasets", "info", "shekar"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "shekhar" in done.stderr


@pytest.mark.slow
def test_the_wheel_has_everything_and_runs(tmp_path: Path) -> None:
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(source)], check=True)
    subprocess.run([sys.executable, "-m", "build", "-q", "--outdir", str(tmp_path / "dist"), str(source)], check=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "scbench/py.typed",
        "scbench/report/html/page/template.html",
        "scbench/conf/config.yaml",
        "scbench/conf/dataset/shekhar.yaml",
        "scbench_methods/leiden/method.py",
        "scbench_methods/leiden/README.md",
        "scbench_methods/leiden/conf/method/leiden.yaml",
        "scbench_methods/leiden/search.yaml",
    } <= names
    assert not any(name.startswith("tests") for name in names)
    target = tmp_path / "installed"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "-t", str(target), str(wheel)], check=True
    )
    code = (
        f"import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()];"
        f"sys.path.insert(0, {str(target)!r}); import scbench; assert {str(target)!r} in scbench.__file__;"
        "from scbench.__main__ import main;"
        "sys.exit(main(['method=leiden', 'dataset=simulated', 'dataset.n_cells=30', '--cfg', 'job']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "n_neighbors: 20" in done.stdout
