"""Find the methods: folders of ``scbench_methods`` and packages announced by entry points ``scbench.methods``.

A method is a package ``P`` with

- ``P/config.py``: one subclass of ``MethodConfig`` (a frozen dataclass; imports no array library),
- ``P/method.py``: one class with ``fit_predict`` that is constructed with that configuration,
- ``P/conf/method/<name>.yaml``: its option in the configuration group ``method``.

An entry point names the package: ``[project.entry-points."scbench.methods"]  mine = "my_package"``.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from types import ModuleType

from scbench.errors import ConfigError
from scbench.method import Method, MethodConfig
from scbench.names import unknown

__all__ = ["ENTRY_POINT_GROUP", "Plugin", "discover", "find"]

ENTRY_POINT_GROUP = "scbench.methods"
_IN_TREE = "scbench_methods"


@dataclass(frozen=True)
class Plugin:
    """One method that can be run.

    Attributes:
        name: the name used on the command line.
        package: importable package that holds it.
    """

    name: str
    package: str

    def config_class(self) -> type[MethodConfig]:
        """Return the method's configuration dataclass without importing the method itself."""
        module = self._import("config")
        return _only(
            (c for c in _own_classes(module) if issubclass(c, MethodConfig)),
            module,
            "a subclass of MethodConfig",
        )

    def create(self, config: MethodConfig) -> Method:
        """Return the method, constructed with ``config``."""
        module = self._import("method")
        cls = _only((c for c in _own_classes(module) if hasattr(c, "fit_predict")), module, "a class with fit_predict")
        method: Method = cls(config)
        return method

    def without_yaml(self) -> ConfigError:
        """Return the error for a package that has no option of this name for the configuration group ``method``."""
        folder = files(self.package).joinpath("conf", "method")
        entries = folder.iterdir() if folder.is_dir() else ()
        others = sorted(entry.name for entry in entries if entry.name.endswith(".yaml"))
        found = f", only {', '.join(others)}" if others else ""
        todo = "rename that file, or write this one" if len(others) == 1 else "write it"
        return ConfigError(
            f"method {self.name!r}: package {self.package!r} has no conf/method/{self.name}.yaml{found}; {todo}; its "
            f"two lines are 'defaults: [{self.name}_schema, _self_]' and 'name: {self.name}'"
            + ("" if self.package.startswith(f"{_IN_TREE}.") else ", and it has to be in the wheel (package data)")
        )

    def _import(self, part: str) -> ModuleType:
        """Import one module of the package; a package without it is not a method."""
        name = f"{self.package}.{part}"
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name in (name, self.package):
                raise ConfigError(
                    f"method {self.name!r}: package {self.package!r} has no module {part!r}; "
                    "a method needs config.py, method.py and conf/method/<name>.yaml"
                ) from error
            raise self._broken(error) from error
        except (Exception, SystemExit) as error:  # whatever a plugin does at import, the other methods go on
            raise self._broken(error) from error

    def _broken(self, error: BaseException) -> ConfigError:
        """Return the error for a package that cannot be imported."""
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return ConfigError(
            f"method {self.name!r} cannot be imported from {self.package!r} ({reason}); mend or uninstall it"
        )


def _own_classes(module: ModuleType) -> Iterable[type]:
    """Yield the public classes defined in ``module`` itself, not those it imports."""
    for name, member in vars(module).items():
        if inspect.isclass(member) and member.__module__ == module.__name__ and not name.startswith("_"):
            yield member


def _only(found: Iterable[type], module: ModuleType, what: str) -> type:
    """Return the single class of ``found``."""
    classes = list(found)
    if len(classes) != 1:
        names = ", ".join(c.__name__ for c in classes) or "none"
        raise ConfigError(f"{module.__name__} must define exactly one public class that is {what}; found {names}")
    return classes[0]


def discover() -> dict[str, Plugin]:
    """Return all methods by name.

    Raises:
        ConfigError: when two packages announce the same name; results of one must not pass for the other's.
    """
    found: dict[str, Plugin] = {}
    for module in pkgutil.iter_modules(importlib.import_module(_IN_TREE).__path__):
        if module.ispkg and not module.name.startswith("_"):
            found[module.name] = Plugin(module.name, f"{_IN_TREE}.{module.name}")
    for point in _announced(tuple((place, _last_change(place)) for place in sys.path)):
        plugin = Plugin(point.name, point.value)
        if found.setdefault(point.name, plugin) != plugin:
            raise ConfigError(
                f"method {point.name!r} is announced by {found[point.name].package!r} and by {point.value!r}; "
                "uninstall or rename one of them"
            )
    return dict(sorted(found.items()))


@lru_cache(maxsize=1)
def _announced(_places: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:
    """Return the entry points of these places: all distributions are read for them, and a command asks twenty times."""
    return tuple(entry_points(group=ENTRY_POINT_GROUP))


def _last_change(place: str) -> int:
    """Return when something was installed or removed in a folder, 0 where there is none."""
    try:
        return os.stat(place or os.curdir).st_mtime_ns
    except OSError:
        return 0


def find(name: str) -> Plugin:
    """Return the method called ``name``.

    Raises:
        ConfigError: when there is none; the message names the nearest.
    """
    known = discover()
    if name not in known:
        raise ConfigError(unknown("method", name, known))
    return known[name]
