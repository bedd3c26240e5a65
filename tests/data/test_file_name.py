from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scbench_methods.random.config import RandomConfig

from scbench.config.schema import LocalEngine, RunConfig
from scbench.data.config import FileDataset
from scbench.data.file_name import file_name
from scbench.errors import ConfigError
from scbench.run.open_datasets import open_all


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/d/my cells.h5ad", "my_cells"),
        ("/d/GSM1.dge.txt.gz", "GSM1"),
        ("/d/s1/outs/filtered_feature_bc_matrix", "s1-filtered_feature_bc_matrix"),
        ("/d/s1/outs/filtered_feature_bc_matrix.h5", "s1-filtered_feature_bc_matrix"),
        ("/d/s2/outs/filtered_feature_bc_matrix/matrix.mtx.gz", "s2-matrix"),
        ("/d/s3/Solo.out/Gene/filtered", "s3-filtered"),
        ("/d/s4/counts_unfiltered/cells_x_genes.mtx", "s4-cells_x_genes"),
        ("/matrix.mtx", "matrix"),
        ("/d/a=b.csv", "a_b"),
        ("/d/_x.csv", "x"),
    ],
)
def test_names_tell_samples_apart(path: str, name: str) -> None:
    assert file_name(Path(path)) == name


def test_a_name_without_a_letter_that_names_can_have_gets_a_number() -> None:
    names = {file_name(Path(f"/d/{text}.csv")) for text in ("é", "细胞", "!!", "")}
    assert len(names) == 4
    for name in names:
        FileDataset(name=name, path="x")


def test_two_files_of_one_name_are_refused_before_the_first_run(tmp_path: Path) -> None:
    configs = []
    for i, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "cells.csv"
        np.savetxt(path, np.random.default_rng(i).poisson(2, (9, 4)), "%d", ",", header="g1,g2,g3,g4", comments="")
        dataset = FileDataset(name="file", path=str(path), label="none")
        configs.append(RunConfig(method=RandomConfig(), dataset=dataset, engine=LocalEngine(), n_clusters=2))
    with pytest.raises(
        ConfigError, match=r"two different datasets of this command are called 'cells': .*a/cells\.csv and"
    ):
        open_all(configs)
    assert len(open_all([configs[0], configs[0]]).runs) == 10
