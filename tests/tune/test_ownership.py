from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scbench.tune.ownership import Owner, is_gone

HOLD = """
import sys, time
from pathlib import Path
from scbench.tune.ownership import Owner
with Owner(Path(sys.argv[1])) as owner:
    print(owner.name, flush=True)
    time.sleep(60)
"""


def test_an_owner_is_there_until_it_ends(tmp_path: Path) -> None:
    with Owner(tmp_path) as owner:
        assert not is_gone(tmp_path, owner.name)
    assert is_gone(tmp_path, owner.name)
    assert list((tmp_path / "owners").iterdir()) == []


def test_a_killed_owner_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert not is_gone(tmp_path, name)
        process.kill()
    assert is_gone(tmp_path, name)
    assert is_gone(tmp_path, "never-there")
