"""Only what pyproject.toml cannot say: the packages below methods/, found by walking it."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["scbench", "scbench.*"]),
        "scbench.conf",
        "scbench_methods",
        *(f"scbench_methods.{package}" for package in find_packages("methods")),
    ]
)
