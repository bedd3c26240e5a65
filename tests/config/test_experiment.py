from __future__ import annotations

import csv
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from scbench.config.experiment import Experiment, ExperimentMethod, experiment_names, load_experiment
from scbench.config.hydra_setup import schema_node
from scbench.data.registry import dataset_names, load_dataset
from scbench.errors import ConfigError
from scbench.plugins import discover, find

ROOT = Path(__file__).parents[2]
SHIPPED = ["cicl_table3", "headline", "sccagn_main", "scsamac_tables", "scsiameseclu_table1", "smoke"]
GOOD = "title: T\nmethods: [random]\ndatasets: [yan]\n"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for experiments of one's own."""
    monkeypatch.setenv("SCBENCH_CONF", str(tmp_path))
    (tmp_path / "experiment").mkdir()
    return tmp_path / "experiment"


def test_an_experiment_says_everything_that_it_names(own: Path) -> None:
    (own / "mine.yaml").write_text(
        "title: Two\n  lines\nsource: S\nnote: N\nprotocol: published\nseeds: [3, 1]\nn_clusters: estimate\n"
        "methods:\n  - leiden\n  - leiden: {resolution: 2e-1}\n  - toy: {train: {rate: 0.5}}\n"
        "datasets: {yan: Yan, deng: Deng}\noverrides: {engine.timeout_min: 5, dataset: {corrupt: {dropout: 0.1}}}\n"
        "metrics: [ari, seconds]\npublished: [a.csv]\n".replace("dataset: {corrupt: {dropout: 0.1}}", "device: cpu")
    )
    assert load_experiment("mine") == Experiment(
        name="mine",
        file=str(own / "mine.yaml"),
        title="Two lines",
        source="S",
        note="N",
        protocol="published",
        seeds=(3, 1),
        n_clusters="estimate",
        methods=(
            ExperimentMethod("leiden", {}),
            ExperimentMethod("leiden", {"resolution": 0.2}),
            ExperimentMethod("toy", {"train.rate": 0.5}),
        ),
        datasets={"yan": "Yan", "deng": "Deng"},
        overrides={"engine.timeout_min": 5, "device": "cpu"},
        metrics=("ari", "seconds"),
        published=("a.csv",),
    )
    assert set(experiment_names()) == {*SHIPPED, "mine"}


def test_what_is_left_out_has_its_default_and_ones_own_file_comes_first(own: Path) -> None:
    (own / "smoke.yaml").write_text(GOOD)
    experiment = load_experiment("smoke")
    assert experiment.file == str(own / "smoke.yaml")
    assert (experiment.protocol, experiment.seeds, experiment.n_clusters) == ("honest", tuple(range(10)), True)
    assert (experiment.datasets, experiment.metrics) == ({"yan": "yan"}, ("acc", "nmi", "ari"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- a\n", "must hold key: value pairs, found list"),
        ("title: [", "is not YAML"),
        ("title: T\n", "has no methods; add methods: a list of names"),
        (GOOD + "sedes: 3\n", "unknown key 'sedes'. Did you mean 'seeds'?"),
        (GOOD + "seeds: 0\n", "seeds must be at least 1, got 0"),
        (GOOD + "protocol: publishd\n", "unknown protocol 'publishd'. Did you mean 'published'?"),
        (GOOD + "n_clusters: maybe\n", "n_clusters must be true"),
        (GOOD + "metrics: [ary]\n", "unknown metric 'ary'. Did you mean 'ari'?"),
        (GOOD + "published: a.csv\n", "published must be a list of file names, found 'a.csv'"),
        (GOOD + "note: 3\n", "note must be a text, found 3"),
        (GOOD + "overrides: {store: x}\n", "overrides cannot set store"),
        (GOOD + "overrides: {method.n_init: 3}\n", "overrides cannot set method.n_init"),
        (GOOD + "overrides: [a]\n", "overrides must be key: value pairs such as engine.timeout_min: 60, found ['a']"),
        ("title: T\nmethods: random\ndatasets: [yan]\n", "methods must be a list of names"),
        ("title: T\nmethods: [{a: 1}]\ndatasets: [yan]\n", "methods must be a list of names"),
        (
            "title: T\nmethods: [leiden, leiden]\ndatasets: [yan]\n",
            "methods holds leiden twice with the same parameters",
        ),
        ("title: T\nmethods: [random]\ndatasets: []\n", "datasets must be a list of names"),
        ("title: T\nmethods: [random]\ndatasets: {yan: 3}\n", "datasets must be a list of names"),
        ("title: T\nmethods: [random]\ndatasets: [yan, yan]\n", "datasets holds a name twice"),
    ],
)
def test_a_wrong_file_is_named_with_its_mistake(own: Path, content: str, message: str) -> None:
    (own / "wrong.yaml").write_text(content)
    with pytest.raises(ConfigError) as raised:
        load_experiment("wrong")
    assert str(own / "wrong.yaml") in str(raised.value)
    assert message in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(own: Path) -> None:
    (own / "folder.yaml").mkdir()
    with pytest.raises(ConfigError, match="folder.yaml cannot be read"):
        load_experiment("folder")


def test_an_unknown_experiment_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown experiment 'headlin'. Did you mean 'headline'"):
        load_experiment("headlin")


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_experiments_name_registered_datasets_and_parameters_that_exist(name: str) -> None:
    experiment = load_experiment(name)
    assert set(experiment.datasets) <= set(dataset_names())
    assert {method.name for method in experiment.methods} - set(discover()) <= {"sccagn"}
    for file in experiment.published:
        assert (ROOT / "results" / "published" / file).is_file()
    for method in experiment.methods:
        if method.name in discover():
            node = schema_node(find(method.name).config_class())
            node.name = method.name
            for path, value in method.params.items():
                OmegaConf.update(node, path, value)
            OmegaConf.to_object(node)  # its own checks


@pytest.mark.parametrize("name", ["cicl_table3", "scsamac_tables", "scsiameseclu_table1"])
def test_a_papers_tables_are_mapped_without_a_gap(name: str) -> None:
    experiment = load_experiment(name)
    metrics = set()
    for file in experiment.published:
        with (ROOT / "results" / "published" / file).open() as lines:
            rows = list(csv.DictReader(lines))
        assert {row["dataset"] for row in rows} == set(experiment.datasets.values())
        metrics |= {row["metric"].lower() for row in rows}
    assert metrics == {"ca" if metric == "acc" and "ca" in metrics else metric for metric in experiment.metrics}
    assert len(set(experiment.datasets.values())) == len(experiment.datasets)


def test_the_headline_has_every_method_of_the_project_and_every_set_of_cells_once() -> None:
    experiment = load_experiment("headline")
    in_tree = {name for name, plugin in discover().items() if plugin.package.startswith("scbench_methods.")}
    assert {method.name for method in experiment.methods} == in_tree | {"sccagn"}
    assert not any(method.params for method in experiment.methods), "one set of parameters: the defaults"
    assert (experiment.protocol, experiment.seeds) == ("honest", tuple(range(10)))
    configs = [load_dataset(name) for name in experiment.datasets]
    checksums = [source.checksum for config in configs for source in config.files if source.checksum]
    assert len(set(checksums)) == len(checksums)
    others = {"young", "young_quake", "pbmc_4k", "klein", "mouse_es_cell", "yan_csv", "muraro_2126", "retina19"}
    assert not others & set(experiment.datasets), "other versions of sets that are in"


def test_the_tables_of_a_paper_are_in_the_headline_too() -> None:
    """The comparison that counts leaves out no set of a paper, but for other versions of the same cells."""
    headline = set(load_experiment("headline").datasets)
    same_cells = {"klein", "mouse_es_cell", "muraro_2126", "young", "young_quake"}
    for name in SHIPPED:
        assert set(load_experiment(name).datasets) - same_cells <= headline
