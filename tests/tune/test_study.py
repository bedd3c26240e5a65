"""Studies on disk: exact numbers of trials, takeover, judgement, and what is another search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState

from scbench.errors import ConfigError
from scbench.tune.identity import Search, usual_name
from scbench.tune.ownership import Owner
from scbench.tune.study import Study, open_study

MakeSearch = Callable[..., Search]


@pytest.mark.parametrize("storage", ["sqlite", "journal"])
def test_a_study_ends_at_its_number_of_trials_and_starts_with_the_defaults(
    storage: str, make_search: MakeSearch, tmp_path: Path
) -> None:
    search = make_search()
    with Owner(tmp_path) as owner:
        study = open_study(search, "s", tmp_path, storage, 4, owner)
        made = []
        while (claim := study.claim()) is not None:
            made.append(claim)
            study.complete(claim.number, {"simulated0": 1.0 - claim.number / 10})
        assert [claim.number for claim in made] == [0, 1, 2, 3]
        assert made[0].params == {"x": 0.0, "inner.y": 0.0, "kind": "round"}
        best = study.best()
        assert best is not None
        assert best.number == 3  # the smallest loss
        more = open_study(search, "s", tmp_path, storage, 6, owner)
        claim = more.claim()
        assert claim is not None
        assert claim.number == 4


def test_an_interrupted_search_draws_what_an_uninterrupted_one_does(make_search: MakeSearch, tmp_path: Path) -> None:
    def drawn(folder: Path, sessions: list[int]) -> list[object]:
        found = []
        for n_trials in sessions:
            with Owner(folder) as owner:
                study = open_study(make_search(), "s", folder, "journal", n_trials, owner)
                while (claim := study.claim()) is not None:
                    found.append(claim.params)
                    study.complete(claim.number, {"simulated0": claim.params["x"] ** 2})
        return found

    assert drawn(tmp_path / "a", [14]) == drawn(tmp_path / "b", [2, 7, 12, 14])


def test_a_trial_is_taken_over_only_when_its_process_is_gone(make_search: MakeSearch, tmp_path: Path) -> None:
    search = make_search()
    with Owner(tmp_path) as second_owner:
        with Owner(tmp_path) as first_owner:
            first = open_study(search, "s", tmp_path, "sqlite", 2, first_owner)
            left = first.claim()
            second = open_study(search, "s", tmp_path, "sqlite", 2, second_owner)
            other = second.claim()
            assert left is not None
            assert other is not None
            assert other.number == 1
            assert second.claim() is None
            assert second.under_way_elsewhere() == 1
        assert second.claim() == left
        assert second.claim() is None
        assert second.under_way_elsewhere() == 0


def finished(study: Study, scores: list[dict[str, float]]) -> None:
    for of_trial in scores:
        claim = study.claim()
        assert claim is not None
        study.complete(claim.number, of_trial)


def test_several_datasets_are_judged_by_ranks_among_all_trials(make_search: MakeSearch, tmp_path: Path) -> None:
    search = make_search("modularity", n_datasets=2)
    names = search.datasets
    assert (search.maximize, search.value_name) == (False, "mean rank by modularity")
    with Owner(tmp_path) as owner:
        study = open_study(search, "s", tmp_path, "journal", 3, owner)
        finished(study, [dict(zip(names, pair, strict=True)) for pair in [(0.5, 0.1), (0.4, 0.9), (0.6, 0.8)]])
        assert study.values() == {0: 2.5, 1: 2.0, 2: 1.5}
        best = study.best()
        assert best is not None
        assert best.number == 2
        assert [trial.value for trial in study.judged_copy().trials] == [2.5, 2.0, 1.5]


def test_failed_and_given_up_trials_stay_on_record(make_search: MakeSearch, tmp_path: Path) -> None:
    with Owner(tmp_path) as owner:
        study = open_study(make_search("modularity", pruner="median"), "s", tmp_path, "sqlite", 3, owner)
        claims = [study.claim() for _ in range(2)]
        assert all(claims)
        study.fail(0, "diverged: why")
        assert not study.gives_up(1, 0, 0.25)
        study.prune(1, "given up: why")
        trials = study.trials()
        assert [trial.state for trial in trials] == [TrialState.FAIL, TrialState.PRUNED]
        assert [study.reason(trial) for trial in trials] == ["diverged: why", "given up: why"]
        assert trials[1].intermediate_values == {0: 0.25}
        assert study.best() is None
        assert study.claim() is not None


def test_another_search_is_refused_under_the_same_name(make_search: MakeSearch, tmp_path: Path) -> None:
    with Owner(tmp_path) as owner:
        open_study(make_search(), "s", tmp_path, "sqlite", 3, owner)
        with pytest.raises(ConfigError, match="is another search .*objective: loss there, stability here.*study="):
            open_study(make_search("stability"), "s", tmp_path, "sqlite", 3, owner)
        with pytest.raises(ConfigError, match="params.epochs: 20 there, 9 here"):
            open_study(make_search(epochs=9), "s", tmp_path, "sqlite", 3, owner)


def test_the_name_follows_from_what_is_searched(make_search: MakeSearch) -> None:
    name = usual_name(make_search())
    assert name.startswith("parabola-simulated0-loss-")
    assert usual_name(make_search()) == name
    assert usual_name(make_search(epochs=9)) != name
    assert usual_name(make_search(n_datasets=5)).startswith("parabola-simulated0+simulated1+simulated2+2-more-loss-")
