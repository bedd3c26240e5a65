import pytest
import torch
from torch import Tensor, nn

from scbench.method import Diverged
from scbench.nn.train import LabelChangeStop, batches, predict_batches, run_epochs


def gen(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("n", "size", "min_batch", "expected"),
    [
        (10, 4, 2, [4, 4, 2]),
        (9, 4, 2, [4, 5]),
        (9, 4, 1, [4, 4, 1]),
        (11, 4, 4, [4, 7]),
        (5, None, 2, [5]),
        (1, 4, 2, [1]),
        (5, 99, 2, [5]),
    ],
)
def test_batches_hold_each_cell_once(n: int, size: int | None, min_batch: int, expected: list[int]) -> None:
    found = list(batches(n, size, gen(), min_batch=min_batch))
    assert [len(each) for each in found] == expected
    assert sorted(torch.cat(found).tolist()) == list(range(n))


def test_order_follows_the_generator() -> None:
    one, two, three = (torch.cat(list(batches(50, 8, gen(seed)))) for seed in (0, 0, 1))
    assert torch.equal(one, two)
    assert not torch.equal(one, three)
    assert torch.equal(torch.cat(list(batches(50, 8, gen(), shuffle=False))), torch.arange(50))


def test_each_epoch_has_a_new_order() -> None:
    seen: list[Tensor] = []

    def step(indices: Tensor) -> dict[str, Tensor]:
        seen.append(indices)
        return {"loss": torch.tensor(0.0)}

    run_epochs(step, 20, None, 3, gen())
    assert not torch.equal(seen[0], seen[1])
    assert len(seen) == 3


def test_terms_are_means_over_cells() -> None:
    values = torch.arange(9, dtype=torch.float64)
    history = run_epochs(lambda i: {"loss": values[i].mean(), "n": torch.tensor(1.0)}, 9, 4, 2, gen())
    assert history == [{"loss": pytest.approx(4.0), "n": pytest.approx(1.0)}] * 2


def test_model_learns() -> None:
    torch.manual_seed(0)
    x = torch.randn(64, 3)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]])
    model = nn.Linear(3, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

    def step(indices: Tensor) -> dict[str, Tensor]:
        loss = (model(x[indices]) - y[indices]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return {"loss": loss}

    history = run_epochs(step, 64, 16, 60, gen())
    assert history[-1]["loss"] < 0.01 * history[0]["loss"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_loss_that_is_not_finite_ends_the_run(bad: float) -> None:
    calls = 0

    def step(_: Tensor) -> dict[str, Tensor]:
        nonlocal calls
        calls += 1
        return {"zinb": torch.tensor(bad if calls == 4 else 1.0), "kl": torch.tensor(2.0)}

    with pytest.raises(Diverged, match=r"not finite at epoch 11: zinb = (nan|inf), kl = 2") as caught:
        run_epochs(step, 10, 5, 9, gen(), first_epoch=10)
    assert caught.value.epoch == 11
    assert caught.value.terms["kl"] == 2


def test_listener_can_stop_the_loop() -> None:
    seen: list[int] = []

    def listen(epoch: int, terms: dict[str, float]) -> bool:
        seen.append(epoch)
        return terms["loss"] == 1 and epoch == 2

    assert len(run_epochs(lambda _: {"loss": torch.tensor(1.0)}, 4, 2, 9, gen(), on_epoch=listen)) == 3
    assert seen == [0, 1, 2]
    assert run_epochs(lambda _: {"loss": torch.tensor(1.0)}, 4, 2, 0, gen()) == []


def test_settled_labels_stop() -> None:
    stop = LabelChangeStop(tol=0.25, patience=2)
    assert not stop.update(torch.tensor([0, 1, 2, 3]))
    assert stop.changed is None
    assert not stop.update(torch.tensor([0, 1, 2, 0]))
    assert stop.changed == 0.25
    assert not stop.update(torch.tensor([1, 0, 2, 0]))
    assert stop.changed == 0.5
    assert not stop.update(torch.tensor([1, 0, 2, 0]))
    assert stop.update(torch.tensor([1, 0, 2, 0]))


def test_labels_are_kept_as_they_were() -> None:
    labels = torch.tensor([0, 0])
    stop = LabelChangeStop(tol=0.0)
    stop.update(labels)
    labels[0] = 1
    assert not stop.update(labels)
    assert stop.changed == 0.5


def network() -> nn.Sequential:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    net[1].eval()  # frozen on purpose
    return net


def test_prediction_keeps_order_and_mode() -> None:
    net, x = network(), torch.randn(11, 3)
    found = predict_batches(net, x, batch_size=4)
    assert not found.requires_grad
    assert [net.training, net[1].training, net[2].training] == [True, False, True]
    net.eval()
    torch.testing.assert_close(found, net(x))
    torch.testing.assert_close(predict_batches(net, x, call=net[0], batch_size=1), net[0](x))


def test_modes_come_back_after_an_error() -> None:
    net = network()
    with pytest.raises(RuntimeError):
        predict_batches(net, torch.randn(5, 7))
    assert [net.training, net[1].training, net[2].training] == [True, False, True]


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="n_items must be at least 1, got 0"):
        list(batches(0, 4, gen()))
    with pytest.raises(ValueError, match="batch_size must be at least 1, or None for all, got 0"):
        list(batches(5, 0, gen()))
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        predict_batches(network(), torch.zeros(2, 3), batch_size=0)
    with pytest.raises(ValueError, match=r"tol must be in \[0, 1\], got 2"):
        LabelChangeStop(2)
    with pytest.raises(ValueError, match="patience must be at least 1, got 0"):
        LabelChangeStop(0.1, patience=0)
