"""From a command line to checked configurations: what ``python -m scbench`` runs on."""

from __future__ import annotations

import dataclasses
import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr

import hydra
import yaml
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from scbench.config.check import check_overrides, parse
from scbench.config.groups import options, schema_of
from scbench.config.hydra_setup import Composed, register
from scbench.config.plain_text import take_literally
from scbench.config.preset_choice import with_preset
from scbench.config.request import Request
from scbench.config.schema import LocalEngine, RunConfig
from scbench.data.config import DatasetConfig
from scbench.errors import ConfigError, ScbenchError, StoreError
from scbench.method import MethodConfig
from scbench.plugins import discover, find
from scbench.renames import former_names

__all__ = ["run_with_config", "to_run_config"]

_FLAGS_OF_MODE = {"-m", "--multirun", "-r", "--run"}


def run_with_config(request: Request | Sequence[str], command: Callable[[list[RunConfig]], int]) -> int:
    """Compose the configuration of a command line, or of every job of a sweep, and run ``command``.

    Hydra only composes; the command runs after it, with all jobs at once. A launcher of the user's own
    (``hydra/launcher=...``) is the exception: it runs each job where and when it likes.

    Returns:
        What ``command`` returned; 0 when the command line only asked to show something.

    Raises:
        ConfigError: one line, for whatever is wrong with the configuration.
    """
    own = os.environ.get("SCBENCH_CONF")
    if own and not os.path.isdir(os.path.expanduser(own)):
        raise ConfigError(f"SCBENCH_CONF={own} is not a folder; correct or unset it")
    request = request if isinstance(request, Request) else Request(tuple(request))
    typed = sys.argv
    flags, overrides, is_sweep = _split(request.arguments)
    overrides = take_literally(overrides, is_sweep=is_sweep)
    arguments = [*check_overrides(overrides, request.chosen), *flags]
    if request.cells is not None:  # Hydra composes once before it sweeps, and keys of a method need one
        arguments = [*request.cells[0][:2], *arguments]
    register()
    collected: list[Composed] = []
    statuses: list[int] = []

    def task(config: DictConfig) -> None:
        job = HydraConfig.get()
        overrides = list(job.overrides.task)
        if job.mode == RunMode.MULTIRUN:
            with _argv(typed):
                statuses.append(command([to_run_config(config, overrides)]))
        else:
            collected.append(Composed(config, overrides))

    task.collect = collected.extend  # type: ignore[attr-defined]  # our launcher of sweeps looks for it,
    task.request = request  # type: ignore[attr-defined]  # and our sweeper for this
    entry = hydra.main(version_base="1.3", config_path="pkg://scbench.conf", config_name="config")(task)
    with _hydra_process(arguments), _mode_taken_as_typed(arguments, flags):
        try:
            entry()
        except MissingConfigException as error:
            group, _, option = (error.missing_cfg_file or "").partition("/")
            if group == "method" and option in discover():
                raise find(option).without_yaml() from error
            raise ConfigError(_one_line(error)) from error
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(_one_line(error)) from error
        except (yaml.YAMLError, UnicodeDecodeError, ValueError, LookupError) as error:
            if isinstance(error, ScbenchError):
                raise
            raise ConfigError(f"the configuration cannot be read: {' '.join(str(error).split())}") from error
        except OSError as error:  # a sweep keeps its multirun.yaml in the store
            raise StoreError(f"the store cannot be written ({error}); choose another folder with store=DIR") from error
        except SystemExit as error:  # Hydra has said why
            return 2 if error.code else 0
    if collected:
        statuses.append(command([to_run_config(job.config, job.overrides) for job in collected]))
    return max(statuses, default=0)


def to_run_config(config: DictConfig, overrides: Iterable[str] = ()) -> RunConfig:
    """Turn a composed configuration into dataclasses, which checks it, with the values of its preset.

    Args:
        config: what Hydra composed, without Hydra's own part.
        overrides: the command line of this job; what it sets of the method wins over a preset.

    Raises:
        ConfigError: when no method is named, or a value is not allowed.
    """
    if OmegaConf.is_missing(config, "method") or OmegaConf.is_missing(config.method, "name"):
        raise ConfigError(f"no method given. Add method=<name>; known: {', '.join(discover())}")
    for group in ("dataset", "method"):
        if not isinstance(config[group], DictConfig):
            raise ConfigError(
                f"the YAML of this {group} must hold key: value pairs, found {type(config[group]).__name__}"
            )
    if config.method.name not in discover():  # which options there are was checked: it is not from the command line
        raise ConfigError(
            f"the YAML of this method has name: {config.method.name}, which is no method; write there what its file "
            "is called, without .yaml"
        )
    overrides = list(overrides)
    try:
        config, preset = with_preset(config, overrides)
    except OmegaConfBaseException as error:
        raise ConfigError(_one_line(error)) from error
    for group in ("dataset", "method"):
        for key in config[group]:
            if OmegaConf.is_missing(config[group], key):
                raise ConfigError(f"{group}.{key} has no value. Add {group}.{key}=... to the command")
    try:
        resolved = OmegaConf.to_object(config)
    except OmegaConfBaseException as error:
        raise ConfigError(_one_line(error)) from error
    if not isinstance(resolved, RunConfig):
        raise ConfigError(
            "the configuration lost its schema; put 'run_schema' first in the defaults of your config.yaml"
        )
    for group, base in (("dataset", DatasetConfig), ("method", MethodConfig), ("engine", LocalEngine)):
        if not isinstance(getattr(resolved, group), base):
            schema = "registered_schema, file_schema or simulated_schema" if group == "dataset" else "its schema"
            raise ConfigError(
                f"the YAML of this {group} has no schema; put {schema} first in its defaults, before _self_"
            )
    given = [parse(override) for override in overrides if override.lstrip("+").startswith("method.")]
    resolved.method.check_given(
        [each.get_key_element().lstrip("+").removeprefix("method.") for each in given if each.value() is not None]
    )
    return dataclasses.replace(resolved, applied_preset=preset)


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str], bool]:
    """Return Hydra's flags, the overrides and whether they are a sweep; an unknown flag is one line."""
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            parsed = get_args_parser().parse_intermixed_args(list(arguments))
    except SystemExit as error:
        lines = said.getvalue().strip().splitlines() or ["error: the flags cannot be read"]
        reason = lines[-1].partition("error: ")[2]
        raise ConfigError(f"{reason}. Options: --help; overrides look like method=leiden") from error
    if parsed.multirun and (parsed.cfg or parsed.info):
        raise ConfigError("-m runs a sweep and --cfg or --info shows one configuration; leave one of them out")
    overrides = list(parsed.overrides)
    left = Counter(overrides)
    flags = []
    for argument in arguments:
        if left[argument]:
            left[argument] -= 1
        else:
            flags.append(argument)
    return flags, overrides, parsed.multirun or any(o.lstrip("+") == "hydra.mode=MULTIRUN" for o in overrides)


@contextmanager
def _hydra_process(arguments: Sequence[str]) -> Iterator[None]:
    """Give Hydra its arguments and let its errors through; both are process-wide, so they are put back."""
    full_error = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        with _argv([sys.argv[0], *arguments]):
            yield
    finally:
        if full_error is None:
            os.environ.pop("HYDRA_FULL_ERROR", None)
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error


@contextmanager
def _mode_taken_as_typed(arguments: Sequence[str], flags: Sequence[str]) -> Iterator[None]:
    """Spare Hydra one of its two compositions, which only finds ``hydra.mode``, where nothing but flags can set that.

    What the files of scbench compose to has no mode, and Hydra then goes by the flags. A folder or a file of the user's
    own, or a word about Hydra itself, may say otherwise.
    """
    from hydra._internal.hydra import Hydra  # Hydra's own entry imports it late, too

    asks_hydra = any(argument.lstrip("+~").startswith("hydra") for argument in arguments)
    if os.environ.get("SCBENCH_CONF") or asks_hydra or not set(flags) <= _FLAGS_OF_MODE:
        yield
        return
    before = Hydra.get_mode
    Hydra.get_mode = lambda *_, **__: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        Hydra.get_mode = before  # type: ignore[method-assign]


@contextmanager
def _argv(argv: list[str]) -> Iterator[None]:
    """Set the arguments of this process, which records keep, for the length of a block."""
    before, sys.argv = sys.argv, argv
    try:
        yield
    finally:
        sys.argv = before


def _one_line(error: BaseException) -> str:
    """Return the first informative line of an error and of its cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    full_key = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("full_key:")), None)
    message = lines[0] if lines else type(error).__name__
    if error.__cause__ is not None and ("merging override" in message or message.endswith(":")):
        message = f"{message.rstrip(':')}: {_one_line(error.__cause__)}"
    elif message.endswith(":") and len(lines) > 1:  # of a file in $SCBENCH_CONF: the next line says what is wrong
        message = f"{message} {lines[1]}{_new_name(full_key or '')}"
    return f"{full_key}: {message}" if full_key and full_key not in message else message


def _new_name(key: str) -> str:
    """Return what to say of a key that was the name of a method's parameter; empty for others."""
    name = key.removeprefix("method.")
    found = {former_names(schema_of("method", option)).get(name, "") for option in options("method")} - {""}
    return f"; {key} is now {' or '.join(sorted(f'method.{new}' for new in found))}" if found else ""
