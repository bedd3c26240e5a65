"""The engine itself: what a run costs beyond its fit, what waiting costs, how fast a store is read, GPUs shared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from measuring import median, real_data_missing, show

__all__ = ["figures"]

TOYS = Path(__file__).parents[1] / "toys"
HAS_CUDA = "import torch; print(int(torch.cuda.is_available()))"
IDLE_SECONDS = 15
# One slot, so that the time between two ends is what one run takes from the engine's point of view.
PER_RUN = """
import sys, tempfile, time
from pathlib import Path
from scbench.config.schema import LocalEngine, RunConfig
from scbench.data.load import open_dataset
from scbench.data.registry import load_dataset
from scbench.plugins import find
from scbench.run.local.devices import Device, Slots
from scbench.run.local.engine import LocalRunner
from scbench.run.plan import plan_runs
from scbench.store.store import Store

class Ends:
    def __init__(self): self.at = []
    def ended(self, run, record, *, will_retry=False): self.at.append((time.perf_counter(), record["seconds"]["total"]))
    def __getattr__(self, _): return lambda *_, **__: None

if __name__ == "__main__":
    config = RunConfig(find("random").config_class()(name="random"), None, LocalEngine(), seeds=101)
    runs = plan_runs(config, open_dataset(load_dataset("pbmc68k_reduced")))
    ends = Ends()
    LocalRunner(Store(tempfile.mkdtemp(dir=sys.argv[1])), LocalEngine(), Slots([], Device("cpu", 1)), ends, {}).execute(runs)
    whole = (ends.at[-1][0] - ends.at[0][0]) / 100
    inside = sum(seconds for _, seconds in ends.at[1:]) / 100
    print(f"{whole:.3f} s a run, of which {whole - inside:.3f} s outside the run's own clock")
"""
STORE = """
import hashlib, json, shutil, sys, time
from pathlib import Path
from scbench.store.store import Store, load
root = Path(sys.argv[1])
(source,) = [record for record in Store(root / "one").records()]
for i in range(10_000):
    key = hashlib.sha256(str(i).encode()).hexdigest()
    folder = root / "many" / f"d{i % 25}" / f"m{i % 8}" / key[:16]
    folder.mkdir(parents=True)
    (folder / "record.json").write_text(json.dumps(source | {"key": key, "seed": i}, indent=1))
for what in ("without index", "with index"):
    started = time.perf_counter()
    assert len(load(root / "many")) == 10_000
    print(f"{what} {time.perf_counter() - started:.1f} s")
shutil.rmtree(root / "many")
"""


def figures() -> None:
    """Print the figures of the engine."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "per_run.py"  # processes are started from a server, which needs a file to import
        script.write_text(PER_RUN)
        show("random on pbmc68k_reduced, one slot", median(str(script), folder).output.strip())
        words = ["-m", "scbench", "method=random", "seeds=1", f"store={folder}/one"]
        subprocess.run([sys.executable, *words], capture_output=True, check=True)
        done = subprocess.run([sys.executable, "-c", STORE, folder], capture_output=True, text=True, check=True)
        show("load(store) of 10 000 records", ", ".join(done.stdout.splitlines()))
    hundred = ("method=random", "dataset=pbmc68k_reduced", "seeds=100", "device=cpu", "store=STORE")
    show("random x 100 seeds, pbmc68k_reduced", median("-m", "scbench", *hundred))
    show("processor time while runs do nothing", f"{100 * idle_share():.2f} % of one core")
    shared_gpu()


def idle_share() -> float:
    """Return the share of one core that a command and its processes take while two runs sleep."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["method=toy", f"method.seconds={IDLE_SECONDS + 25}", "seeds=2", "dataset=simulated", f"store={folder}"]
        environment = {**os.environ, "PYTHONPATH": str(TOYS), "SCBENCH_CACHE": f"{folder}/cache"}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command = subprocess.Popen([sys.executable, "-m", "scbench", *words], env=environment, **quiet)  # type: ignore[call-overload]
        time.sleep(15)  # imports and the loading of data are over
        before = _processor_seconds(command.pid)
        time.sleep(IDLE_SECONDS)
        used = _processor_seconds(command.pid) - before
        command.terminate()
        command.wait()
    return used / IDLE_SECONDS


def _processor_seconds(pid: int) -> float:
    """Return the processor time of a process and all that it started."""
    process = psutil.Process(pid)
    times = [part.cpu_times() for part in (process, *process.children(recursive=True))]
    return float(sum(part.user + part.system for part in times))


def shared_gpu() -> None:
    """Print runs per minute for 1 to 8 runs on each GPU."""
    has_cuda = subprocess.run(
        [sys.executable, "-c", HAS_CUDA], capture_output=True, text=True, check=True
    ).stdout.strip()
    reason = "left out: no CUDA device" if has_cuda != "1" else real_data_missing()
    if reason:
        show("runs per minute on a GPU that is shared", reason)
        return
    for method in ("scsiameseclu", "cicl", "scsamac", "sccagn"):
        for dataset in ("mouse_pancreas_1", "pbmc_4k_top2000"):
            found = [f"{n}: {runs_per_minute(method, dataset, n):.2f}" for n in (1, 2, 4, 8)]
            show(f"{method}, {dataset}, runs/min by runs per GPU", ", ".join(found))


def runs_per_minute(method: str, dataset: str, n: int) -> float:
    """Return the rate of a command of 8 seeds with ``n`` runs on each GPU, start-up and all."""
    with tempfile.TemporaryDirectory() as store:
        words = [f"method={method}", f"dataset={dataset}", "seeds=8", "device=cuda", f"engine.runs_per_gpu={n}"]
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "scbench", *words, f"store={store}"], capture_output=True, text=True, check=False
        )
        minutes = (time.perf_counter() - started) / 60
    found = re.search(r"(\d+)/8$", done.stdout, re.MULTILINE)
    return int(found[1]) / minutes if found else 0.0
