"""What Hydra has to know about scbench: schemas, where methods keep their YAML, and how sweeps are run."""

from __future__ import annotations

import logging
import os
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigNode, ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, ListConfig, OmegaConf

from scbench import plugins
from scbench.config.groups import options, schema_of
from scbench.config.schema import RunConfig
from scbench.errors import ConfigError

__all__ = ["Composed", "register", "schema_node"]

_LOG = logging.getLogger(__name__)


class ScbenchSearchPath(SearchPathPlugin):
    """Add every method's ``conf`` package, and the folder ``$SCBENCH_CONF`` before all others."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Extend Hydra's search path."""
        own = os.environ.get("SCBENCH_CONF")
        if own:
            search_path.prepend(provider="user", path=f"file://{os.path.abspath(os.path.expanduser(own))}")
        for plugin in plugins.discover().values():
            if _has_conf(plugin):
                search_path.append(provider=plugin.name, path=f"pkg://{plugin.package}.conf")


def _has_conf(plugin: plugins.Plugin) -> bool:
    """Return whether a method brings YAML; one that cannot be imported brings nothing."""
    try:
        return find_spec(f"{plugin.package}.conf") is not None
    except (Exception, SystemExit):
        _LOG.debug("method %s cannot be imported", plugin.name, exc_info=True)
        return False


@dataclass(frozen=True)
class Composed:
    """A composed configuration, without Hydra's own part, and the overrides of the command line that went into it."""

    config: DictConfig
    overrides: list[str]


@dataclass
class LauncherConf:
    """Configuration node that makes Hydra build :class:`ScbenchLauncher`."""

    _target_: str = "hydra_plugins.scbench.ScbenchLauncher"


class ScbenchLauncher(Launcher):
    """Hand all jobs of a sweep to the command at once, so that one engine runs them from one queue."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what ``launch`` needs."""
        self._context = hydra_context
        self._task = task_function
        self._config = config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Compose every job; they are run together when Hydra is done."""
        composed = []
        for overrides in job_overrides:
            config = self._context.config_loader.load_sweep_config(self._config, list(overrides))
            OmegaConf.set_struct(config, False)
            del config["hydra"]
            composed.append(Composed(config, list(overrides)))
        collect: Callable[[list[Composed]], None] = self._task.collect  # type: ignore[attr-defined]
        collect(composed)
        return [
            JobReturn(overrides=job.overrides, cfg=job.config, _return_value=None, status=JobStatus.COMPLETED)
            for job in composed
        ]


def register() -> None:
    """Tell Hydra about the schemas, the search path and the launcher; safe to call twice."""
    store = ConfigStore.instance()
    _store(store, None, "run_schema", RunConfig)
    for engine in options("engine"):
        _store(store, "engine", f"{engine}_engine_schema", schema_of("engine", engine))
    for option, name in (
        ("file", "file_schema"),
        ("simulated", "simulated_schema"),
        ("", "registered_schema"),
    ):
        _store(store, "dataset", name, schema_of("dataset", option))
    for name in plugins.discover():
        try:
            _store(store, "method", f"{name}_schema", schema_of("method", name))
        except ConfigError:  # said when this method is asked for; the others go on
            _LOG.debug("method %s is left out", name, exc_info=True)
    store.store(group="hydra/launcher", name="scbench_local", node=LauncherConf, provider="scbench")
    # Hydra instantiates only launchers that live in hydra_plugins.*, and its scan of that namespace does not see
    # editable installs: so a module is put there by hand and its classes are registered.
    plugins_of_hydra = Plugins.instance()  # scans hydra_plugins.*, so it comes before the module made here
    from scbench.config.sweeper import ScbenchSweeper, SweeperConf  # the scan loads the class it is made from anew

    store.store(group="hydra/sweeper", name="scbench", node=SweeperConf, provider="scbench")
    if "hydra_plugins.scbench" not in sys.modules:
        home = types.ModuleType("hydra_plugins.scbench")
        sys.modules.setdefault("hydra_plugins", types.ModuleType("hydra_plugins"))
        sys.modules[home.__name__] = home
        for plugin in (ScbenchLauncher, ScbenchSweeper):
            plugin.__module__ = home.__name__
            setattr(home, plugin.__name__, plugin)
            plugins_of_hydra.register(plugin)
        plugins_of_hydra.register(ScbenchSearchPath)


class _SchemaNode(ConfigNode):
    """An entry of Hydra's store whose node is made when Hydra first reads it: a command reads 4 of some 20 schemas.

    Args:
        group, name: as in ``ConfigStore.store``.
        schema: the dataclass.
    """

    def __init__(self, group: str | None, name: str, schema: type) -> None:
        self.name, self.group, self.package, self.provider = f"{name}.yaml", group, None, "scbench"
        self._schema = schema
        self._node: DictConfig | None = None

    @property
    def node(self) -> DictConfig:
        """The node; Hydra sets that of its own copy."""
        if self._node is None:
            self._node = schema_node(self._schema)
        return self._node

    @node.setter
    def node(self, node: DictConfig) -> None:
        self._node = node


def _store(store: ConfigStore, group: str | None, name: str, schema: type) -> None:
    """Register a schema."""
    entry = _SchemaNode(group, name, schema)
    entries = store.repo if group is None else store.repo.setdefault(group, {})
    entries[entry.name] = entry


def schema_node(schema: type) -> DictConfig:
    """Return a node with the types and defaults of a dataclass.

    Frozen dataclasses become read-only nodes, which no override could change: that is lifted.
    """
    node = OmegaConf.structured(schema)
    _lift_read_only(node)
    return node  # type: ignore[no-any-return]


def _lift_read_only(node: Any) -> None:
    """Remove the read-only flag from a node and all below it (its children have any type)."""
    if isinstance(node, DictConfig | ListConfig):
        OmegaConf.set_readonly(node, None)
        if isinstance(node, DictConfig) and not node._is_missing():
            for key in node:
                child = node._get_node(key)
                _lift_read_only(child)
