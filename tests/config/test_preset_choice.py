"""Which preset a command line takes, what wins over it, and what the honest protocol refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scbench
from scbench.__main__ import main
from scbench.config.compose import run_with_config
from scbench.config.schema import AppliedPreset, RunConfig
from scbench.errors import ConfigError

pytestmark = pytest.mark.usefixtures("toy_installed")

KIDNEY = ["dataset=simulated", "dataset.name=kidney", "device=cpu"]
OF_KIDNEY = AppliedPreset("kidney", "Toy et al. 2024, Table 1", tuned_with_labels=True)


def configs(*arguments: str) -> list[RunConfig]:
    """Return what a command line comes to, one configuration per job."""
    found: list[RunConfig] = []

    def keep(given: list[RunConfig]) -> int:
        found.extend(given)
        return 0

    assert run_with_config(arguments, keep) == 0
    return found


def config(*arguments: str) -> RunConfig:
    (only,) = configs("method=toy", *KIDNEY, *arguments)
    return only


def values(found: RunConfig) -> tuple[int, float, int]:
    return found.method.bad_seed, found.method.train.rate, found.method.train.steps


DEFAULTS, OF_PRESET = (-1, 0.1, 10), (77, 0.5, 10)


def test_published_takes_the_row_of_the_dataset_and_honest_does_not() -> None:
    published, honest = config("protocol=published"), config()
    assert (values(published), published.applied_preset) == (OF_PRESET, OF_KIDNEY)
    assert (values(honest), honest.applied_preset) == (DEFAULTS, None)


def test_another_dataset_and_none_leave_the_methods_own_set() -> None:
    for more in (["dataset.name=liver"], ["preset=none"]):
        found = config("protocol=published", *more)
        assert (values(found), found.applied_preset) == (DEFAULTS, None)


def test_a_preset_can_be_asked_for_by_name_on_any_dataset() -> None:
    found = config("protocol=published", "dataset.name=liver", "preset=kidney")
    assert (values(found), found.applied_preset) == (OF_PRESET, OF_KIDNEY)


def test_honest_allows_what_was_chosen_without_labels() -> None:
    found = config("preset=quick")
    assert values(found) == (-1, 0.1, 5)
    assert found.applied_preset == AppliedPreset("quick", "Toy et al. 2024, section 3", tuned_with_labels=False)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("method.train.rate=0.7", (77, 0.7, 10)),
        ("++method.train.rate=0.7", (77, 0.7, 10)),
        ("method.bad_seed=-1", (-1, 0.5, 10)),
        ("method.train.steps=3", (77, 0.5, 3)),
        ("method.train={steps: 3}", (77, 0.5, 3)),
        ("method.train={steps: 3, rate: 0.2}", (77, 0.2, 3)),
    ],
)
def test_the_command_line_wins_over_a_preset(given: str, expected: tuple[int, float, int]) -> None:
    found = config("protocol=published", given)
    assert (values(found), found.applied_preset) == (expected, OF_KIDNEY)


def test_a_preset_wins_over_the_users_own_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "method").mkdir()
    own = "defaults: [toy_schema, _self_]\nname: toy\nbad_seed: 5\nseconds: 2.0\n"
    (tmp_path / "method" / "toy.yaml").write_text(own)
    monkeypatch.setenv("SCBENCH_CONF", str(tmp_path))
    found = config("protocol=published")
    assert (found.method.bad_seed, found.method.seconds) == (77, 2.0)


@pytest.mark.parametrize("launcher", [[], ["hydra/launcher=basic"]])
def test_every_job_of_a_sweep_has_its_own(launcher: list[str], tmp_path: Path) -> None:
    sweep = ["-m", "method=toy,random", "dataset=simulated", "dataset.name=kidney,liver", "protocol=published"]
    jobs = configs(*sweep, *launcher, f"store={tmp_path}")
    assert [(job.method.name, job.dataset.name, job.applied_preset) for job in jobs] == [
        ("toy", "kidney", OF_KIDNEY),
        ("toy", "liver", None),
        ("random", "kidney", None),
        ("random", "liver", None),
    ]
    assert [values(job) for job in jobs[:2]] == [OF_PRESET, DEFAULTS]


def test_a_sweep_over_a_parameter_wins_in_every_job(tmp_path: Path) -> None:
    jobs = configs("-m", "method=toy", *KIDNEY, "protocol=published", "method.train.rate=0.3,0.4", f"store={tmp_path}")
    assert [values(job) for job in jobs] == [(77, 0.3, 10), (77, 0.4, 10)]


def test_a_users_own_file_is_read_from_where_the_command_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "mine.yaml").write_text("tuned_with_labels: false\nparams: {train: {rate: 0.9}}\n")
    found = config("preset=rows/mine.yaml")
    assert values(found) == (-1, 0.9, 10)
    assert found.applied_preset == AppliedPreset("mine.yaml", "rows/mine.yaml", tuned_with_labels=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["preset=kidney"], "preset=kidney was tuned with labels, which protocol=honest does not allow; add protocol=published"),
        (["preset=own.yaml"], "preset=own.yaml was tuned with labels, which protocol=honest does not allow"),
        (["preset=kidny", "protocol=published"], "unknown preset 'kidny' of method toy. Did you mean 'kidney'? Known: kidney, quick."),
        (["method=random", "preset=kidney"], "method random has no presets, found preset=kidney"),
        (["preset=no.yaml"], "preset file no.yaml cannot be read (No such file or directory)"),
        (["preset="], "preset is empty; use auto, none"),
        (["preset=null"], "field 'preset' is not Optional"),
        (["preset.file=kidney"], "'preset' has no parts"),
        (["applied_preset=x"], "unknown key 'applied_preset'"),
        (["preset=kidney", "protocol=publishd"], "unknown protocol 'publishd'. Did you mean 'published'?"),
        (["preset=own.yaml", "protocol=published", "method=random"], "own.yaml: params.seconds: unknown parameter of method random 'seconds'"),
        (["protocol=published", "method.train.rate=3"], "method.train.rate must be in (0, 1], got 3"),
        (["-m", "preset=auto,kidny", "protocol=published", "seeds=1"], "unknown preset 'kidny' of method toy"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").write_text("tuned_with_labels: true\nparams: {seconds: 1}\n")
    method = [] if any(argument.startswith("method=") for argument in arguments) else ["method=toy"]
    assert main([*method, *KIDNEY, *arguments]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1, said.err
    assert message in said.err
    assert not list(tmp_path.rglob("record.json"))


def test_cluster_takes_a_preset_and_says_that_it_was_tuned_with_labels() -> None:
    counts = np.random.default_rng(0).poisson(2.0, size=(30, 20)).astype(np.float32)
    with pytest.warns(UserWarning, match="preset kidney was tuned with labels of"):
        scbench.cluster(counts, method="toy", n_clusters=2, preset="kidney")
    with pytest.raises(ConfigError, match="unknown preset 'kidny' of method toy"):
        scbench.cluster(counts, method="toy", n_clusters=2, preset="kidny")
