"""The examples in the docstrings of core are true."""

import doctest
import importlib
import pkgutil

import pytest

from docrag_ops import core
from docrag_ops.core.texts import one_line

MODULES = [module.name for module in pkgutil.walk_packages(core.__path__, "docrag_ops.core.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name: str):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_examples_are_found_at_all():
    found = doctest.DocTestFinder().find(one_line)
    assert [bool(one.examples) for one in found] == [True]
