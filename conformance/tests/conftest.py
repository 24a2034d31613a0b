"""Settings that all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

# Before NumPy is imported: the spinning threads of several BLAS libraries slow each other down.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# Before SciPy is: its functions then take arrays of any namespace of the Array API.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

import pytest
from hypothesis import settings
from unigrad_conformance.lowering import share_contexts

import unigrad as ug

# A loaded machine is no failure; speed is measured in benchmarks.
settings.register_profile("unigrad", deadline=None)
settings.load_profile("unigrad")


LONGEST = (
    *("test_conformance.py", "test_compilers.py", "test_notebooks.py", "test_runner.py", "test_compile.py"),
    *("test_oracle.py", "test_pairs.py", "test_compare.py", "test_mutation.py"),
)
"""The files that take a minute or more. They are begun first, or one process waits for the other at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(autouse=True)
def _no_backend_is_left_behind() -> Iterator[None]:
    """A test that leaves another default backend behind fails, rather than one after it."""
    share_contexts()  # once a test has loaded JAX, it is quicker for all that follow
    before = ug.get_backend()
    yield
    left = ug.get_backend()
    if left != before:
        ug.set_backend(before)
        pytest.fail(f"the default backend was {before} and is {left}; ask for the fixture chooses_backend")


@pytest.fixture
def chooses_backend() -> Iterator[None]:
    """For a test that runs a user's program, which chooses the backend of the whole process."""
    before = ug.get_backend()
    yield
    ug.set_backend(before)


if os.environ.get("UNIGRAD_ONE_FRAMEWORK"):  # as conformance/releases.py has it: what needs another is left out

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup() -> object:
        return (yield from _without_the_absent())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call() -> object:
        return (yield from _without_the_absent())

    def _without_the_absent():
        try:
            return (yield)
        except (ug.BackendError, ModuleNotFoundError) as error:
            if isinstance(error, ModuleNotFoundError) or "is not installed" in str(error):
                pytest.skip(str(error))
            raise
