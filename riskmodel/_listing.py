"""What `help` and `dir` list of a class: what one calls, not what attrs and Python keep there.

Python asks the class of the class, as it does for enumerations. Instances list everything, as ever.
"""

from __future__ import annotations

from abc import ABCMeta

_NAMES = """
__abstractmethods__ __annotations__ __attrs_attrs__ __attrs_init__ __attrs_own_setattr__ __attrs_post_init__
__attrs_props__ __delattr__ __dict__ __eq__ __final__ __getattr__ __getstate__ __hash__ __init__ __match_args__ __ne__
__reduce__ __repr__ __setattr__ __setstate__ __slots__ __str__ __weakref__
"""
_MACHINERY = frozenset(_NAMES.split())


class Listing(type):
    """A class that lists neither what attrs writes, nor what every object or number has."""

    def __dir__(cls) -> list[str]:
        """Return the names of attributes without the machinery."""
        return [name for name in super().__dir__() if name not in _MACHINERY and not cls._is_of_python(name)]

    def _is_of_python(cls, name: str) -> bool:
        """Whether a special method is that of a class of Python's own, such as float."""
        home = next((base for base in cls.__mro__ if name in vars(base)), cls)
        return name.startswith("__") and home.__module__ == "builtins"


class AbstractListing(Listing, ABCMeta):
    """The same for abstract classes, and for classes that users combine with abstract ones."""
