import pytest
import torch

from scbench.nn.precomputed import with_gradients


def test_value_and_gradient_are_those_given() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.tensor([[3.0]], requires_grad=True)
    loss = with_gradients(torch.tensor(7.0), (x, y), (torch.tensor([0.5, -1.0]), torch.tensor([[2.0]])))
    (3 * loss).backward()
    assert loss.item() == 7
    torch.testing.assert_close(x.grad, torch.tensor([1.5, -3.0]))
    torch.testing.assert_close(y.grad, torch.tensor([[6.0]]))


def test_gradients_flow_on_to_what_the_inputs_came_from() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with_gradients(torch.tensor(0.0), (x.exp(),), (torch.ones(2),)).backward()
    torch.testing.assert_close(x.grad, x.detach().exp())


def test_inputs_without_gradient_are_allowed() -> None:
    x = torch.ones(2, requires_grad=True)
    with_gradients(torch.tensor(0.0), (x, torch.ones(3)), (torch.ones(2), torch.ones(3))).backward()
    torch.testing.assert_close(x.grad, torch.ones(2))


@pytest.mark.parametrize("gradients", [(), (torch.ones(3),), (torch.ones(2), torch.ones(2))])
def test_a_gradient_of_another_shape_is_refused(gradients: tuple[torch.Tensor, ...]) -> None:
    with pytest.raises(ValueError, match="gradient of its own shape"):
        with_gradients(torch.tensor(0.0), (torch.ones(2),), gradients)
