"""The parts of the document: what is shared, sampled, quantised and cut, and that nothing of it is lost on the way."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_records import put, record

from scbench.report.content import Content, read_content
from scbench.report.figures.true_types import as_truth
from scbench.report.html import histories, points
from scbench.report.html.distinct import Distinct
from scbench.report.html.histories import history_list
from scbench.report.html.points import point_list, principal_plane
from scbench.report.html.protocol import protocol_sentences
from scbench.report.html.quantised import encoded, steps
from scbench.report.html.run_list import cell_places, run_list
from scbench.report.selection import Selection
from scbench.tables.measures import MEASURES, measures_of


def content_of(store: Path, *records: dict[str, Any]) -> Content:
    put(store, *records)
    return read_content(store, Selection(), measures_of("acc,ari"), store / "no papers")


def decoded(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=np.uint8)


def folder_of(content: Content, key: str) -> Path:
    return content.store / content.folders[key]


def place_of(content: Content, entry: str, dataset: str) -> str:
    return str(cell_places(content)[entry, dataset])


def test_equal_values_stand_once_and_empty_ones_nowhere() -> None:
    values = Distinct()
    assert [values.place(one) for one in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {}, None, {"a": 2})] == [
        0,
        0,
        None,
        None,
        1,
    ]
    assert values.values == [{"a": 1, "b": 2}, {"a": 2}]


def test_what_there_is_no_room_for_is_left_out_and_smaller_values_still_fit() -> None:
    values = Distinct(at_most=9)
    assert values.place("x" * 20) is None
    assert values.place("abc") == 0
    assert values.place("abcdef") is None
    assert values.place("abc") == 0


@pytest.mark.parametrize(("low", "high"), [(-3.0, 7.5), (0.0, 1e-9), (1e6, 2e6)])
def test_a_step_is_at_most_half_of_one_255th_off(low: float, high: float) -> None:
    values = np.linspace(low, high, 1001)
    back = low + steps(values, low, high) / 255 * (high - low)
    assert np.abs(back - values).max() <= (high - low) / 255 / 2 * (1 + 1e-6)
    assert steps(np.array([low, high]), low, high).tolist() == [0, 255]


def test_a_constant_has_no_range() -> None:
    assert steps(np.full(3, 4.0), 4.0, 4.0).tolist() == [0, 0, 0]


def test_bytes_are_row_by_row() -> None:
    assert decoded(encoded(np.array([[1, 2], [3, 255]]))).tolist() == [1, 2, 3, 255]


def test_every_run_has_its_values_and_what_is_shared_stands_once(tmp_path: Path) -> None:
    content = content_of(
        tmp_path,
        *(record("d", "m", seed, 0.1 * seed) for seed in range(3)),
        record("d", "m", 3, None, error={"type": "E", "message": "\n it broke\nhere", "traceback": "x" * 5000 + "end"}),
        record("e", "m", 0),
    )
    shown = run_list(content)
    named = {(entry, dataset): one for (entry, dataset), one in zip(cell_places(content), shown["cells"], strict=True)}
    _, dataset, detail, folder, runs = named["m", "d"]
    assert (dataset, detail, folder) == (0, "3/4, K 3/3", "d/m")
    rows = [dict(zip(shown["columns"], run, strict=True)) for run in runs]
    assert [row["seed"] for row in rows] == [0, 1, 2, 3]
    assert [row["measures"][list(MEASURES).index("ari")] for row in rows] == [0.0, 0.1, 0.2, None]
    by_seed = {one["seed"]: one["key"] for one in content.records if one["dataset"] == "d"}
    assert [row["key"] for row in rows] == [by_seed[seed] for seed in range(4)]
    assert len(shown["settings"]) == 1
    assert shown["settings"][0]["parameters"] == {"k": 1}
    assert [one["data"]["sha256"] for one in shown["origins"]] == ["sha-of-d", "sha-of-e"]
    assert shown["reasons"] == ["E: it broke"]
    assert shown["tracebacks"][0].endswith("end")
    assert len(shown["tracebacks"][0]) == 4000


def test_the_best_epoch_is_shown_where_there_is_one(tmp_path: Path) -> None:
    best = {"epoch": 7, "acc": 0.9, "nmi": 0.8, "ari": None}
    (cell,) = run_list(content_of(tmp_path, record(best_epoch=best)))["cells"]
    assert cell[-1][0][run_list(content_of(tmp_path / "x", record()))["columns"].index("best")] == [7, 0.9, 0.8, None]


def test_curves_are_those_of_the_history(tmp_path: Path) -> None:
    content = content_of(tmp_path, record(seed=0), record(seed=1), record(seed=2, score=None))
    shown = history_list(content)
    loss, other = shown["cells"][place_of(content, "m", "d")]
    n = shown["n_points"]
    assert (loss["name"], loss["epochs"], loss["low"], loss["high"], loss["log"]) == ("loss", [0, 7], 2.0, 9.0, False)
    assert list(loss["lines"]) == ["0", "1"]
    line = decoded(loss["lines"]["0"])
    assert len(line) == 2 * n
    epochs, values = line[:n] / 255 * 7, 2 + line[n:] / 255 * 7
    np.testing.assert_allclose(values, 9 - epochs, atol=7 / 255)
    assert epochs[0] == 0
    assert epochs[-1] == 7
    assert (other["low"], other["high"]) == (0.0, 7.0)


def test_a_curve_over_orders_of_magnitude_has_a_logarithmic_axis(tmp_path: Path) -> None:
    content = content_of(tmp_path, record())
    folder_of(content, record()["key"]).joinpath("history.csv").write_text("epoch,loss\n0,1000\n1,10\n2,inf\n3,0.1\n")
    shown = history_list(content)
    ((loss,),) = shown["cells"].values()
    assert loss["log"]
    assert loss["epochs"] == [0, 3]
    values = decoded(loss["lines"]["0"])[shown["n_points"] :]
    assert set(values.tolist()) == {255, 128, 0}


def test_damaged_and_missing_histories_leave_no_curve(tmp_path: Path) -> None:
    content = content_of(tmp_path, record("a"), record("b"), record("c"))
    for dataset, text in (("a", "half a fi"), ("b", "epoch,loss\n")):
        folder_of(content, record(dataset)["key"]).joinpath("history.csv").write_text(text)
    folder_of(content, record("c")["key"]).joinpath("history.csv").unlink()
    assert history_list(content)["cells"] == {}


def test_the_next_run_stands_for_one_whose_files_are_gone(tmp_path: Path) -> None:
    first, second = record(seed=0), record(seed=1)
    content = content_of(tmp_path, first, second)
    folder = tmp_path / "d" / "m" / first["key"][:16]
    (folder / "history.csv").unlink()
    (folder / "labels.npy").write_bytes(b"junk")
    (shown,) = history_list(content)["cells"].values()
    assert list(shown[0]["lines"]) == ["1"]
    (points_shown,) = point_list(content, {}, {}, "umap")["cells"].values()
    assert points_shown["seed"] == 1


def test_many_curves_keep_to_the_budget_and_say_what_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of(tmp_path, *(record(seed=seed) for seed in range(6)))
    monkeypatch.setattr(histories, "_BUDGET", 2 * 3 * 2 * 16)  # three seeds of two columns
    shown = history_list(content)
    ((loss, _),) = shown["cells"].values()
    assert list(loss["lines"]) == ["0", "1", "2"]
    assert shown["left_out"] == "curves of the first 3 seeds of each cell"


def test_more_columns_than_are_drawn_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histories, "_COLUMNS", (1, 16))
    monkeypatch.setattr(histories, "_BUDGET", 150)  # room for the heading of one
    ((loss, rest),) = history_list(content_of(tmp_path, record()))["cells"].values()
    assert (loss["name"], rest) == ("loss", {"left_out": "1 more logged values are in history.csv"})


def test_the_principal_plane_is_that_of_the_covariance() -> None:
    latent = np.random.default_rng(0).normal(size=(50, 6)) * [1, 5, 2, 1, 9, 1]
    plane = principal_plane(latent.astype(np.float32))
    values, vectors = np.linalg.eigh(np.cov(latent.T))
    expected = (latent - latent.mean(axis=0)) @ vectors[:, [-1, -2]]
    for axis in (0, 1):
        assert abs(np.corrcoef(plane[:, axis], expected[:, axis])[0, 1]) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(plane.var(axis=0, ddof=1), values[[-1, -2]], rtol=1e-4)
    np.testing.assert_allclose(principal_plane(latent[:1]), [[0.0, 0.0]], atol=1e-12)


def test_points_keep_their_distances_and_clusters(tmp_path: Path) -> None:
    content = content_of(tmp_path, record())
    rng, folder = np.random.default_rng(1), folder_of(content, record()["key"])
    labels, latent = np.repeat([7, 2, 5], [10, 30, 20]), rng.normal(size=(60, 2)).astype(np.float32) * [9, 1]
    np.save(folder / "labels.npy", labels)
    np.save(folder / "embedding.npy", latent)
    one = point_list(content, {}, {}, "umap")["cells"][place_of(content, "m", "d")]
    assert (one["names"], one["sizes"], one["matched"], one["layout"]) == (["2", "5", "7"], [30, 20, 10], None, "pca")
    x, y, codes = decoded(one["points"]).reshape(3, -1)
    assert sorted(codes.tolist()) == [0] * 30 + [1] * 20 + [2] * 10
    assert one["ends"] == [x.max(), y.max()] == [255, pytest.approx(y.max())]
    plane = principal_plane(latent)
    order = np.lexsort((plane[:, 1], plane[:, 0]))
    assert codes[np.argsort(x, kind="stable")][0] == {2: 0, 5: 1, 7: 2}[labels[order[0]]]
    spread = (plane.max(axis=0) - plane.min(axis=0)) / (plane[:, 0].max() - plane[:, 0].min())
    assert y.max() / 255 == pytest.approx(spread[1], abs=0.01)


def test_types_layouts_and_confusion_are_those_of_the_figures(tmp_path: Path) -> None:
    content = content_of(tmp_path, record())
    key = record()["key"]
    truth = as_truth(np.array(["x"] * 40 + ["y"] * 20))
    layout = {key: (np.array([3, 50]), np.array([[0.0, 0.0], [1.0, 2.0]]))}
    shown = point_list(content, {"d": truth}, layout, "tsne")
    one = shown["cells"][place_of(content, "m", "d")]
    assert shown["types"] == {"d": ["1. x (40)", "2. y (20)"]}
    assert one["layout"] == "tsne"
    assert sorted(decoded(one["types"]).tolist()) == [0, 1]
    assert np.sum(one["confusion"], axis=0).tolist() == one["sizes"]
    assert np.sum(one["confusion"], axis=1).tolist() == [40, 20]
    assert sorted(one["matched"]) == [-1, 0, 1]


def test_labels_of_other_cells_are_not_shown_beside_a_run(tmp_path: Path) -> None:
    one = point_list(content_of(tmp_path, record()), {"d": as_truth(np.array(["x", "y"]))}, {}, "umap")
    assert [cell["matched"] for cell in one["cells"].values()] == [None]


@pytest.mark.parametrize("damage", ["missing", "half", "nan", "other cells", "one column"])
def test_a_run_without_a_usable_embedding_still_has_its_clusters(tmp_path: Path, damage: str) -> None:
    content = content_of(tmp_path, record())
    path = folder_of(content, record()["key"]) / "embedding.npy"
    latent = np.load(path)
    if damage == "missing":
        path.unlink()
    elif damage == "half":
        path.write_bytes(path.read_bytes()[:40])
    else:
        np.save(path, {"nan": latent * np.nan, "other cells": latent[:5], "one column": latent[:, :1]}[damage])
    (one,) = point_list(content, {}, {}, "umap")["cells"].values()
    assert "points" not in one
    assert one["sizes"] == [20, 20, 20]


def test_a_cell_without_labels_or_without_an_ok_run_has_nothing_to_draw(tmp_path: Path) -> None:
    content = content_of(tmp_path, record("a"), record("b", score=None))
    (folder_of(content, record("a")["key"]) / "labels.npy").write_bytes(b"half")
    assert point_list(content, {}, {}, "umap")["cells"] == {}


def test_large_confusion_tables_are_left_out_when_there_is_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(points, "_TABLE_ENTRIES", 10)
    content = content_of(tmp_path, record("a"), record("b"))
    truth = as_truth(np.repeat(["x", "y", "z"], 20))
    shown = point_list(content, {"a": truth, "b": truth}, {}, "umap")["cells"]
    assert ["confusion" in one for one in shown.values()] == [True, False]


def test_the_protocol_is_four_sentences_with_the_seeds_of_the_report(tmp_path: Path) -> None:
    sentences = protocol_sentences(content_of(tmp_path / "a", *(record(seed=seed) for seed in range(3))))
    assert len(sentences) == 4
    assert all(sentence.count(". ") == 0 and sentence.endswith(".") for sentence in sentences)
    assert "seeds (0 to 2, or as many of them" in sentences[1]
    assert "seeds (0, 4, or" in protocol_sentences(content_of(tmp_path / "b", record(seed=0), record(seed=4)))[1]
