"""Every public class has an example of its own, which the doctests run."""

import inspect

import riskmodel as rm


def public_classes():
    """All but errors and warnings."""
    return {name: value for name, value in _classes().items() if not issubclass(value, Exception)}


def _classes():
    found = {name: getattr(rm, name) for name in rm.__all__}
    return {name: value for name, value in found.items() if inspect.isclass(value)}


def test_public_classes_have_examples():
    classes = _classes()
    assert len(classes) > 300
    assert [name for name, value in classes.items() if ">>> " not in (vars(value).get("__doc__") or "")] == []
