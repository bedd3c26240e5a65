"""The text of ``python -m scbench --help``, made from the groups and schemas as they are installed."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from scbench import __version__
from scbench.config.experiment import experiment_names
from scbench.config.groups import DEFAULT_OPTIONS, options, schema_of
from scbench.config.method_help import method_help, plain_value
from scbench.config.preset import shipped_names
from scbench.config.schema import RunConfig
from scbench.errors import ConfigError
from scbench.plugins import find

__all__ = ["help_text"]

_USAGE = """\
scbench {version}: run clustering methods on single-cell data and score them against annotated types.

  python -m scbench method=M dataset=D            10 seeds of M on D, then a table
  python -m scbench -m method=A,B dataset=C,D     the cross product, in one queue
  python -m scbench experiment=E                  a named comparison; what is not at hand is left out
  python -m scbench method=M dataset=file dataset.path=P dataset.label=cell_type
  python -m scbench method=M --help               what each parameter of M is, with its type and range
  python -m scbench method=M dataset=D --cfg job  show the composed configuration
  ... --dry-run                                   show what would run, what is done, and how long it may take
  python -m scbench.datasets list                 the datasets and where they are
  python -m scbench.status [store]                what runs and what is done, while it runs
  python -m scbench.archive pack FILE [store]     runs in one file to keep or pass on; unpack puts them back
  python -m scbench.labels dataset=D out=F.csv    labels of your own cells in one table, with the consensus of seeds
  python -m scbench.compare path=F methods=A,B out=DIR  methods beside each other on your own cells, without labels
  python -m scbench.advise path=F                 which methods can run on your cells, how long, and how they ranked
  python -m scbench.report                        tables of everything in the store
  python -m scbench.tune method=M dataset=D       search M's parameters, without labels (see its --help)
  python -m scbench.doctor                        what is installed, which devices, where the data are

Exit status: 0 all runs ok; 1 at least one run failed; 2 the command or the configuration is wrong.
"""

_KEYS = {
    "protocol": "honest, or published (also stores labels of every epoch and shows the best one)",
    "preset": "auto (the authors' parameters for the dataset, only under published), none, a name, or FILE.yaml",
    "seeds": "how many (10 = seeds 0 to 9), or a list: [0,4,7]",
    "n_clusters": "true (annotated number of types), estimate (label-free), or a number",
    "estimate": "how n_clusters=estimate is made: resolution_1 (Leiden at resolution 1), or stability (against a null)",
    "device": "auto, cpu, cuda, cuda:1, or a list: [cuda:0,cuda:1]",
    "store": "folder of the run store",
    "retry_failed": "try failed runs again",
    "fail_fast": "end with the first run that fails",
}

_FILE_KEYS = {
    "path": "the file or folder: h5ad, h5mu, zarr, h5, loom, csv, tsv, mtx folder, rds, RData",
    "name": "what it is called in tables and in the store (default: the file's name, and its sample folder's)",
    "label": "column of the types (null: the usual one); none runs without labels",
    "label_path": "a second file with the labels: one row per cell, paired by the cells' names",
    "label_order": "names, or file: the rows of label_path are in the order of the cells",
    "unlabelled": "error, or drop: leave cells without a label out",
    "matrix": "which matrix of the file: raw or a layer of an h5ad, spliced of a loom, an assay of Seurat",
    "modality": "which modality of an h5mu (default rna)",
    "orientation": "cells_by_genes or genes_by_cells, where the file does not tell what is in its rows",
    "values": "counts, log_normalised, or linear (RPKM, TPM)",
    "rounding": "none, round or ceil: how corrected counts become whole",
    "spike_ins": "keep, or drop: leave the ERCC spike-ins out of the genes",
    "empty_cells": "keep, or drop: leave cells without a count out",
    "reader": "the format, where the name of the file does not tell it",
    "member": "which file of a zip archive",
}


def help_text(arguments: Sequence[str] = ()) -> str:
    """Return the whole help page: usage, groups with their options, keys with their defaults.

    Args:
        arguments: of the command; with ``method=NAME`` among them the page is of the parameters of these methods.
    """
    named = [argument.partition("=")[2] for argument in arguments if argument.startswith("method=")]
    if named:
        return "\n".join(method_help(name) for name in named[-1].split(","))
    parts = [_USAGE.format(version=__version__), "GROUPS (choose one of each with group=option)\n"]
    for group in ("method", "dataset", "engine"):
        default = DEFAULT_OPTIONS.get(group)
        parts.append(_wrapped(f"{group}:", options(group), f"   (default {default})" if default else ""))
    parts.append(_wrapped("experiment:", experiment_names()))
    parts.append("\nKEYS (key=value)\n")
    for field in dataclasses.fields(RunConfig):
        if field.name in _KEYS:
            parts.append(f"  {field.name + '=' + plain_value(field.default):<26} {_KEYS[field.name]}\n")
    parts.append("\nKEYS OF A FILE OF YOUR OWN (dataset=file dataset.path=P dataset.label=cell_type)\n")
    defaults = {field.name: plain_value(_default(field)) for field in dataclasses.fields(schema_of("dataset", "file"))}
    parts += [f"  {f'dataset.{key}={defaults[key]}':<27} {meaning}\n" for key, meaning in _FILE_KEYS.items()]
    parts.append("\nKEYS OF THE GROUPS\n")
    parts += [_group_keys("engine", engine) for engine in options("engine")]
    parts.append(_group_keys("dataset", "file", without=_FILE_KEYS))
    parts.append(_group_keys("dataset", "simulated"))
    for method in options("method"):
        try:
            parts.append(_group_keys("method", method))
            presets = shipped_names(find(method))
            parts.append(_wrapped(f"presets of {method}:", presets) if presets else "")
        except ConfigError as error:  # one broken plugin must not hide the help of the others
            parts.append(f"  method={method}: {error}\n")
    parts.append("\nHydra's own options (sweeps, config folders, completion): python -m scbench --hydra-help\n")
    return "".join(parts)


def _group_keys(group: str, option: str, without: Collection[str] = ("name",)) -> str:
    """Return the settable keys of one option with their defaults, but for those that are explained elsewhere."""
    shown = [
        f"{name}={plain_value(default)}"
        for field in dataclasses.fields(schema_of(group, option))
        if field.name not in without
        for name, default in _defaults(field.name, _default(field))
    ]
    return _wrapped(f"{group}={option}:", shown)


def _default(field: dataclasses.Field[Any]) -> object:
    """Return the default of a field, made where the dataclass makes one for each instance."""
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _defaults(name: str, default: object) -> Iterator[tuple[str, object]]:
    """Yield a key with its default, or the dotted keys of a nested dataclass with theirs."""
    if dataclasses.is_dataclass(default):
        for field in dataclasses.fields(default):
            yield from _defaults(f"{name}.{field.name}", getattr(default, field.name))
    else:
        yield name, default


def _wrapped(head: str, words: Iterable[str], tail: str = "") -> str:
    """Return ``head`` and the words behind it, wrapped and indented."""
    body = ", ".join(words) + tail
    return textwrap.fill(f"  {head} {body}", width=110, subsequent_indent="      ", break_on_hyphens=False) + "\n"
