from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scbench.run.local.recorder import Recorder


def test_history_grows_and_takes_new_columns(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, 3, lambda *_: None)
    recorder.log(0, {"loss": 1.0})
    recorder.log(1, {"loss": 0.5})
    recorder.log(2, {"loss": 0.25, "kl": 3.0})
    recorder.log(3, {"kl": 2.0})
    lines = (tmp_path / "history.csv").read_text().split()
    assert lines == ["epoch,loss,kl", "0,1.0,", "1,0.5,", "2,0.25,3.0", "3,,2.0"]


def test_snapshots_are_kept_in_file_order(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, 3, lambda *_: None)
    order = np.array([2, 0, 1])
    assert recorder.snapshots(order) is None
    recorder.snapshot(4, np.array([10, 11, 12]))
    epochs, labels = recorder.snapshots(order) or (None, None)
    assert epochs is not None
    assert labels is not None
    assert (epochs.tolist(), labels.tolist()) == ([4], [[11, 12, 10]])


def test_a_snapshot_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"shape \(3,\), got \(2,\)"):
        Recorder(tmp_path, 3, lambda *_: None).snapshot(0, np.zeros(2))


def test_progress_is_not_sent_for_every_epoch(tmp_path: Path) -> None:
    sent: list[int] = []
    recorder = Recorder(tmp_path, 3, lambda epoch, _: sent.append(epoch))
    for epoch in range(50):
        recorder.log(epoch, {"loss": 0.0})
    assert sent[0] == 0
    assert len(sent) < 50
