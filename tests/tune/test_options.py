from __future__ import annotations

import pytest

from scbench.errors import ConfigError
from scbench.tune.objectives import OBJECTIVES
from scbench.tune.options import TuneOptions, choose_pruner, read_options


def test_the_searchs_own_keys_are_taken_out() -> None:
    own = ["n_trials=7", "objective=stability", "evaluate=false", "storage=postgresql://host/base", "--dry-run"]
    spaces = ["search.n_genes=[100,200]", "search.n_components=12", "search.n_neighbors=default"]
    options, rest = read_options(["method=leiden", *own, "seeds=3", *spaces])
    assert (options.n_trials, options.objective, options.is_dry_run, options.evaluate) == (7, "stability", True, False)
    assert options.search == {"n_genes": [100, 200], "n_neighbors": "default"}
    assert options.storage == "postgresql://host/base"
    assert rest == ["method=leiden", "seeds=3", "method.n_components=12"]


def test_a_trial_has_the_seeds_that_its_objective_needs() -> None:
    assert TuneOptions().seeds_of_trials() == [1000]
    assert (TuneOptions().n_workers(), TuneOptions(workers=7).n_workers()) == (4, 7)
    assert TuneOptions(objective="stability").seeds_of_trials() == [1000, 1001, 1002]
    assert TuneOptions(objective="stability_subsamples").seeds_of_trials() == [1000, 1001, 1002]
    assert TuneOptions(trial_seeds=2).seeds_of_trials() == [1000, 1001]
    assert TuneOptions(trial_seeds=[5, 7]).seeds_of_trials() == [5, 7]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("n_trial=3", "unknown key 'n_trial'. Did you mean 'n_trials'"),
        ("n_trials=0", "n_trials must be at least 1, got 0"),
        ("n_trials=x", "n_trials must be a whole number, got 'x'"),
        ("evaluate=3", "evaluate must be true or false, got '3'"),
        ("sampler_seed=-1", "sampler_seed must be a whole number from 0"),
        ("pruner=medium", "unknown pruner 'medium'. Did you mean 'median'"),
        ("storage=sqlight", "unknown storage .* 'sqlight'. Did you mean 'sqlite'"),
        ("workers=-1", "workers must be at least 1, got -1"),
        ("study=a/b", "study must be a plain name .*, got 'a/b'"),
        ("out=", "out is empty; give a folder"),
        ("objective=modular", "unknown objective 'modular'. Did you mean 'modularity'"),
        ("trial_seeds=0", "trial_seeds must be at least 1, got 0"),
        ("subsample_share=x", "subsample_share must be a number, got 'x'"),
        ("subsample_share=1", "subsample_share must be above 0 and below 1, got 1; objective=stability compares"),
        ("subsample_share=0.7", "subsample_share=0.7 is for objective=stability_subsamples, and .* is modularity"),
        ("leave_one_out=true", "leave_one_out=true is made for tuning with the labels .*add objective=ari"),
    ],
)
def test_a_wrong_value_is_one_line(argument: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_options([argument])


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="n_trials is given twice; leave one of them out"):
        read_options(["n_trials=3", "n_trials=4"])


def test_stability_needs_two_seeds() -> None:
    with pytest.raises(ConfigError, match="objective=stability needs at least 2 seeds .* got 1; use trial_seeds=3"):
        read_options(["objective=stability", "trial_seeds=1"])


def test_subsamples_have_a_usual_size() -> None:
    assert read_options(["objective=stability_subsamples"])[0].share() == 0.8
    assert read_options(["objective=stability_subsamples", "subsample_share=0.9"])[0].share() == 0.9


def test_trials_are_pruned_where_they_can_be_compared() -> None:
    assert choose_pruner("auto", OBJECTIVES["modularity"], 1) == "median"
    assert choose_pruner("auto", OBJECTIVES["modularity"], 2) == "none"
    assert choose_pruner("auto", OBJECTIVES["loss"], 1) == "none"
    assert choose_pruner("hyperband", OBJECTIVES["silhouette_pca"], 1) == "hyperband"
    assert choose_pruner("none", OBJECTIVES["ari"], 3) == "none"
    with pytest.raises(ConfigError, match="pruner=median compares unfinished trials, which objective=ari cannot"):
        choose_pruner("median", OBJECTIVES["ari"], 1)
    with pytest.raises(ConfigError, match="which 2 datasets cannot be compared by"):
        choose_pruner("median", OBJECTIVES["modularity"], 2)
