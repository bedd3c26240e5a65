"""Which datasets can be opened on this machine as it is: nothing is downloaded, nothing is parsed."""

from __future__ import annotations

from collections.abc import Iterable

from scbench.data.file_index import FileIndex
from scbench.data.locate import locate
from scbench.data.registry import dataset_names, load_dataset
from scbench.errors import DataError

__all__ = ["NOT_HERE", "not_at_hand"]

NOT_HERE = "not on this machine (python -m scbench.datasets fetch NAME gets one)"


def not_at_hand(names: Iterable[str]) -> dict[str, str]:
    """Return why, by name, for each of the datasets that is not at hand.

    Args:
        names: of datasets; those that are no registered ones (simulations, settings of a user's own file) need no file
            that could be looked for here.

    Raises:
        ConfigError: when the description of a dataset is wrong.
    """
    index = FileIndex()
    registered = set(dataset_names())
    reasons = {}
    for name in names:
        if name not in registered:
            continue
        try:
            if locate(load_dataset(name), index) is None:
                reasons[name] = NOT_HERE
        except DataError as error:
            reasons[name] = str(error)
    return reasons
