"""Processes are found below one another, and memory that they share is counted once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scbench.run.local import process_tree
from scbench.run.local.process_tree import descendants, proportional_bytes, resident_bytes

MIB = 2**20
# Four children that share one array of 64 MiB; each reads it all, so that it is resident in each.
SHARING = """
import os, sys
shared = bytearray(os.urandom(64 << 20))
for _ in range(4):
    reader, writer = os.pipe()
    if os.fork() == 0:
        sum(shared[::4096])
        os.write(writer, b"1")
        sys.stdin.read()
        os._exit(0)
    os.read(reader, 1)
print(len(shared), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def sharing() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", SHARING], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process.pid
    process.communicate()


@pytest.mark.parametrize("kernel_tells", [True, False])
def test_all_below_are_found_and_what_is_gone_has_none(
    sharing: int, monkeypatch: pytest.MonkeyPatch, kernel_tells: bool
) -> None:
    if not kernel_tells:
        monkeypatch.setattr(process_tree, "_kernel_lists_children", lambda: False)
    found = descendants(sharing)
    assert len(found) == len(set(found)) == 4
    assert set(found) < set(descendants(os.getpid()))
    assert descendants(999_999_999) == []
    assert resident_bytes([999_999_999]) == proportional_bytes([999_999_999]) == 0


def test_what_processes_share_is_counted_once(sharing: int) -> None:
    all_of_it = [sharing, *descendants(sharing)]
    assert resident_bytes(all_of_it) > 5 * 64 * MIB
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("the kernel does not tell proportional sizes")
    assert 64 * MIB < proportional_bytes(all_of_it) < 2 * 64 * MIB


def test_where_the_system_does_not_tell_resident_memory_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> bytes:
        raise PermissionError

    own = [os.getpid()]
    known = resident_bytes(own)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert proportional_bytes(own) == resident_bytes(own)
    assert abs(resident_bytes(own) - known) < 8 * MIB
