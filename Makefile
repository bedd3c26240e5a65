# make run: set-up from nothing, then the main job on the embedded dataset
# make test: set-up from nothing, then the tests
# PIP_ARGS goes to every pip call, for example PIP_ARGS="--index-url ..." for another build of torch.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP_ARGS ?=
# --no-compile: byte code of all of torch and scipy takes a minute or two; Python makes that of what it imports.
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-compile -q -c constraints.txt $(PIP_ARGS)
TEST_PROCESSES ?= 2

# $(call given,NAMES): those of the names that were given to make, as NAME=VALUE; what the environment has is not meant
given = $(foreach name,$(1),$(if $(filter command,$(firstword $(origin $(name)))),'$(name)=$($(name))'))

.PHONY: run test test-all test-slurm faults lint bench bench-gpu tables clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# torch first and by its exact version: with it in place no other package pulls in another build.
$(VENV)/.run-ready: $(BIN)/python pyproject.toml setup.py constraints.txt
	$(INSTALL) "$$(grep '^torch==' constraints.txt)"
	$(INSTALL) -e .
	touch $@

$(VENV)/.dev-ready: $(VENV)/.run-ready
	$(INSTALL) -e '.[dev]'
	touch $@

$(VENV)/.report-ready: $(VENV)/.run-ready
	$(INSTALL) -e '.[report]'
	touch $@

run: $(VENV)/.run-ready
	$(BIN)/python -m scbench method=scsiameseclu dataset=pbmc68k_reduced

test: $(VENV)/.dev-ready
	$(BIN)/python -m pytest -n $(TEST_PROCESSES)

test-all: $(VENV)/.dev-ready
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) -m ''

# needs a SLURM that can be started here, which tests/run/slurm/install_slurm.sh installs; skipped with the reason otherwise
test-slurm: $(VENV)/.dev-ready
	$(BIN)/python -m pytest -m 'slurm and not slow' -rs tests/run/slurm

# disks that fill, kills, clocks that go back and the like, with a table of what each has cost
faults: $(VENV)/.dev-ready $(VENV)/.report-ready
	$(BIN)/python -m pytest -m '' -rs tests/faults

lint: $(VENV)/.dev-ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# make bench compare=COMMIT [rows=NAME,NAME] [quick=1] [out=FILE.json]: this tree and that commit side by side
bench: $(VENV)/.dev-ready
	$(BIN)/python tests/perf/bench.py $(call given,compare rows quick out)

# at most 8 minutes; after make run, and with nothing installed or downloaded: VENV=, or PYTHON= where there is no VENV
bench-gpu:
	$(or $(wildcard $(BIN)/python),$(PYTHON)) tests/perf/bench_gpu.py $(call given,device quick rows out)

tables: $(VENV)/.report-ready
	$(BIN)/python -m scbench.report

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
