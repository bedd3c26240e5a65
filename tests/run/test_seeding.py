import numpy as np
import pytest
import torch

from scbench.run.seeding import put_back, row_order, seed_process, seeded


def flushes() -> bool:
    return float(torch.tensor([1e-39]) * 1) == 0


@pytest.fixture(autouse=True)
def as_before() -> None:
    torch.set_flush_denormal(False)


@pytest.mark.parametrize("before", [False, True])
def test_denormals_count_as_zero_during_a_seeded_block_only(before: bool) -> None:
    torch.set_flush_denormal(before)
    with seeded(0, uses_torch=True):
        assert flushes()
    assert flushes() == before
    torch.set_flush_denormal(False)


def test_methods_without_torch_leave_denormals_alone() -> None:
    with seeded(0, uses_torch=False):
        assert not flushes()


def test_a_run_of_its_own_stays_prepared() -> None:
    seed_process(3, uses_torch=True)
    first = torch.rand(2), np.random.rand(2)
    assert flushes()
    seed_process(3, uses_torch=True)
    torch.testing.assert_close(torch.rand(2), first[0])
    np.testing.assert_array_equal(np.random.rand(2), first[1])
    torch.set_flush_denormal(False)


def test_rows_come_back_in_file_order() -> None:
    order = row_order(50, 1)
    assert not np.array_equal(order, np.arange(50))
    np.testing.assert_array_equal(put_back(np.arange(50)[order], order), np.arange(50))
