"""How often Hydra composes: once where only flags can set its mode, and twice where something else may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra._internal.hydra import Hydra

from scbench.config.compose import run_with_config


@pytest.mark.parametrize(
    ("arguments", "own", "n_composed", "n_jobs"),
    [
        (["seeds=1"], "", 1, 1),
        (["-m", "seeds=1,2"], "", 1, 2),
        (["seeds=1,2", "hydra.mode=MULTIRUN"], "", 2, 2),
        (["seeds=1", "hydra.job.name=x"], "", 2, 1),
        (["seeds=1,2"], "hydra:\n  mode: MULTIRUN\n", 2, 2),  # in a config.yaml of the user's own
    ],
)
def test_the_mode_is_what_the_flags_or_the_configuration_say(
    arguments: list[str], own: str, n_composed: int, n_jobs: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if own:
        shipped = (Path(__file__).parents[2] / "conf/config.yaml").read_text()
        head, _, rest = shipped.partition("hydra:\n")
        (tmp_path / "config.yaml").write_text(head + own + rest)
        monkeypatch.setenv("SCBENCH_CONF", str(tmp_path))
    composed = []
    compose = Hydra.compose_config

    def counting(self: Hydra, *given: Any, **named: Any) -> Any:
        composed.append(1)
        return compose(self, *given, **named)

    monkeypatch.setattr(Hydra, "compose_config", counting)
    seen: list[object] = []
    find_mode = Hydra.get_mode
    arguments = ["method=random", "dataset=simulated", *arguments]
    assert run_with_config(arguments, lambda jobs: seen.extend(jobs) or 0) == 0  # type: ignore[func-returns-value]
    assert (len(composed), len(seen)) == (n_composed, n_jobs)
    assert Hydra.get_mode is find_mode
