from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from scbench.metrics import external, matching, score

ORACLES = Path(__file__).parents[1] / "oracles"
KEYS = {"acc", "nmi", "ari", "ami", "homogeneity", "completeness", "f1_macro", "nmi_max"}

partitions = st.integers(1, 40).flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 6), min_size=n, max_size=n)] * 2))


def best_by_trying_all(labels_true: np.ndarray, labels_pred: np.ndarray) -> tuple[float, float]:
    """Return the best (ACC, macro-F1), compared in this order, over every one-to-one matching."""
    types, clusters = np.unique(labels_true), np.unique(labels_pred)
    slots = list(clusters) + [None] * len(types)
    best = (0.0, 0.0)
    for chosen in set(permutations(slots, len(types))):
        hits, f1 = 0, 0.0
        for cell_type, cluster in zip(types, chosen, strict=True):
            if cluster is None:
                continue
            shared = int(np.sum((labels_true == cell_type) & (labels_pred == cluster)))
            hits += shared
            f1 += 2 * shared / (np.sum(labels_true == cell_type) + np.sum(labels_pred == cluster))
        best = max(best, (hits / len(labels_true), round(f1 / len(types), 9)))
    return best


def sklearn_scores(t: object, p: object) -> dict[str, float]:
    return {
        "nmi": sk.normalized_mutual_info_score(t, p),
        "nmi_max": sk.normalized_mutual_info_score(t, p, average_method="max"),
        "ami": sk.adjusted_mutual_info_score(t, p),
        "ari": sk.adjusted_rand_score(t, p),
        "homogeneity": sk.homogeneity_score(t, p),
        "completeness": sk.completeness_score(t, p),
    }


def assert_like_sklearn(t: object, p: object) -> None:
    ours = score(t, p)
    for name, expected in sklearn_scores(t, p).items():
        assert ours[name] == pytest.approx(expected, rel=0, abs=1e-10), name


@given(partitions)
@settings(max_examples=150, deadline=None)
def test_scores_are_those_of_sklearn(both: tuple[list[int], list[int]]) -> None:
    assert_like_sklearn(*both)


@pytest.mark.parametrize(
    ("t", "p"),
    [
        ([0] * 5, [0] * 5),
        ([0] * 5, [0, 1, 1, 0, 2]),
        ([0, 1, 1, 0, 2], [0] * 5),
        (range(9), range(9)),
        (range(9), [0] * 9),
        (range(9), [0, 0, 0, 1, 1, 1, 2, 2, 2]),
        ([7], [3]),
        ([0, 0, 1, 1], [0, 1, 0, 1]),
    ],
)
def test_limits_are_those_of_sklearn(t: object, p: object) -> None:
    assert_like_sklearn(list(t), list(p))  # type: ignore[call-overload]


def test_many_cells_are_scored_like_sklearn() -> None:
    rng = np.random.default_rng(0)
    t = rng.choice(9, size=60_000, p=np.arange(1, 10) / 45)
    p = np.where(rng.random(t.size) < 0.5, t, rng.integers(0, 14, t.size))
    assert_like_sklearn(t, p)


def test_expected_information_is_summed_in_several_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    t, p = rng.integers(0, 12, 400), rng.integers(0, 9, 400) ** 2
    monkeypatch.setattr(external, "_TERMS_AT_ONCE", 50)
    assert_like_sklearn(t, p)


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 3), min_size=n, max_size=n)] * 2)))
@settings(max_examples=60, deadline=None)
def test_matching_is_the_best_of_all_matchings(both: tuple[list[int], list[int]]) -> None:
    t, p = map(np.array, both)
    found = score(t, p)
    assert (found["acc"], found["f1_macro"]) == pytest.approx(best_by_trying_all(t, p), abs=1e-8)


@given(partitions, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_names_and_order_do_not_matter(both: tuple[list[int], list[int]], random: object) -> None:
    t, p = map(np.array, both)
    rng = np.random.default_rng(random.randint(0, 9999))  # type: ignore[attr-defined]
    order = rng.permutation(len(t))
    renamed = rng.permutation(7)[p] * 100 - 50
    strings = np.array(list("gfedcba"))[t]
    assert score(strings[order], renamed[order]) == pytest.approx(score(t, p), abs=1e-12)


def test_perfect_partition_scores_one() -> None:
    t = np.repeat(["alpha", "beta", "delta"], [5, 1, 9])
    assert score(t, pd.factorize(t)[0] + 4) == dict.fromkeys(KEYS, 1.0)


def test_random_partition_scores_near_zero() -> None:
    rng = np.random.default_rng(0)
    found = score(rng.integers(0, 5, 20_000), rng.integers(0, 5, 20_000))
    assert abs(found["ari"]) < 1e-3
    assert abs(found["ami"]) < 1e-3
    assert 0.2 < found["acc"] < 0.22


def test_scores_of_a_case_done_by_hand() -> None:
    # Table: A = (3, 1, 0), B = (0, 1, 1). Best: A-0 (3 cells), B-1 or B-2 (1 cell); F1 of B-1 is 1/2, of B-2 2/3.
    found = score(list("AAAABB"), [0, 0, 0, 1, 1, 2])
    assert found["acc"] == pytest.approx(4 / 6)
    assert found["f1_macro"] == pytest.approx((6 / 7 + 2 / 3) / 2)
    # 3 pairs together in both, 7 within types, 4 within clusters, 15 in all.
    assert found["ari"] == pytest.approx((3 - 7 * 4 / 15) / ((7 + 4) / 2 - 7 * 4 / 15))


def test_types_without_a_cluster_count_zero_in_f1() -> None:
    found = score(list("AABBCC"), [0] * 6)
    assert found["acc"] == pytest.approx(2 / 6)
    assert found["f1_macro"] == pytest.approx((2 * 2 / 8) / 3)


def test_clusters_without_a_type_lower_recall() -> None:
    found = score(list("AAAA"), [0, 0, 0, 1])
    assert found["acc"] == pytest.approx(0.75)
    assert found["f1_macro"] == pytest.approx(6 / 7)


@pytest.mark.parametrize("limit", [0, 4_000_000])
@given(both=partitions)
@settings(max_examples=40, deadline=None)
def test_sparse_assignment_agrees_with_the_dense_one(limit: int, both: tuple[list[int], list[int]]) -> None:
    expected = score(*both)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(external, "_DENSE_ASSIGNMENT", limit)
        patch.setattr("scbench.metrics.contingency._COUNT_BY_POSITION", limit)
        assert score(*both) == pytest.approx(expected, abs=1e-12)


def test_singletons_do_not_allocate_the_full_table() -> None:
    rng = np.random.default_rng(0)
    n = 20_000
    assert score(np.arange(n), rng.permutation(n)) == dict.fromkeys(KEYS, 1.0)
    found = score(np.arange(n) // 2, rng.integers(0, n, n))
    assert 0 < found["acc"] < 1


@pytest.mark.parametrize(
    "make",
    [
        np.array,
        list,
        tuple,
        pd.Series,
        pd.Categorical,
        pd.Index,
        lambda x: pd.Series(x, index=np.arange(len(x))[::-1]),
        lambda x: np.array(x).astype(str),
        lambda x: np.array(x).astype(str).astype(object),
        lambda x: pd.Series(x, dtype="Int64"),
        lambda x: pd.Series([f"t{i}" for i in x], dtype="string"),
        lambda x: pd.Categorical([f"t{i}" for i in x], categories=["unused", "t9", "t1", "t0"]),
        lambda x: np.array(x, dtype=np.int8),
        lambda x: np.array(x, dtype=np.uint64),
        lambda x: np.array(x, dtype=np.float32) / 3,
        lambda x: np.repeat(np.array(x), 2)[::2],
        lambda x: [f"t{i}" for i in x],
    ],
)
def test_any_kind_of_label_is_accepted(make: object) -> None:
    values = [0, 0, 9, 1, 1, 9, 0]
    other = [5, 5, 1, 1, 1, 1, -7]
    expected = score(np.array(values), np.array(other))
    assert score(make(values), other) == expected  # type: ignore[operator]
    assert score(other, make(values)) == pytest.approx(score(other, values), abs=1e-12)  # type: ignore[operator]


def test_booleans_and_tensors_are_accepted() -> None:
    torch = pytest.importorskip("torch")
    flags = np.array([True, False, True, True])
    assert score(flags, [1, 0, 1, 1])["acc"] == 1.0
    assert score(torch.tensor([3, 1, 3, 3]), flags)["acc"] == 1.0


def test_inputs_are_not_changed() -> None:
    t, p = np.array([2, 2, 0, 5]), np.array(["b", "a", "b", "b"], dtype=object)
    t.flags.writeable = p.flags.writeable = False
    score(t, p)
    assert t.tolist() == [2, 2, 0, 5]
    assert p.tolist() == ["b", "a", "b", "b"]


@pytest.mark.parametrize("bad", [0, 1])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "is empty"),
        (np.zeros((3, 2)), "one-dimensional, got 2 dimensions"),
        ([[1, 2], [3, 4], [5, 6]], "one-dimensional, got 2 dimensions"),
        ("abc", "one-dimensional, got 0 dimensions"),
        ([0.0, np.nan, 1.0], "labels_.* has 1 missing values, the first at position 1"),
        (["a", None, None], "2 missing values"),
        (["a", np.nan, "b"], "1 missing values"),
        ([1, 2, pd.NA], "1 missing values, the first at position 2"),
        (pd.Categorical(["a", None, "b"]), "1 missing values"),
        (pd.Series([1, None, 2], dtype="Int64"), "1 missing values"),
        (np.ma.masked_array([1, 2, 3], mask=[True, False, False]), "first at position 0"),
        ([[1], [2, 3], [4]], "plain values"),
    ],
)
def test_bad_labels_are_refused(bad: int, labels: object, message: str) -> None:
    both: list[object] = [[0, 1, 1], [0, 1, 1]]
    both[bad] = labels
    with pytest.raises(ValueError, match=message):
        score(*both)  # type: ignore[arg-type]


def test_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="labels_true has 3 entries but labels_pred has 2"):
        score([0, 1, 1], [0, 1])
    with pytest.raises(ValueError, match="labels_true has 3 entries but labels_pred has 2"):
        matching([0, 1, 1], [0, 1])


def test_matching_names_the_type_of_each_cluster() -> None:
    assert matching(["b", "b", "a", "a", "a"], [7, 7, 3, 3, 7]) == {7: "b", 3: "a"}
    assert matching(["b", "b", "a"], [1, 1, 1]) == {1: "b"}
    assert matching(["b", "b", "b"], ["x", "y", "y"]) == {"y": "b"}


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("scsiameseclu/metrics.npz", {"acc": "acc", "nmi": "nmi_arithmetic", "ari": "ari", "f1_macro": "f1_macro"}),
        ("cicl/metrics.npz", {"acc": "ACC", "nmi": "NMI", "ari": "ARI"}),
    ],
)
def test_published_programs_agree(path: str, names: dict[str, str]) -> None:
    oracle = np.load(ORACLES / path)
    found = score(oracle["y_true"], oracle["y_pred"])
    for ours, theirs in names.items():
        assert found[ours] == pytest.approx(float(oracle[theirs]), abs=1e-12), ours
