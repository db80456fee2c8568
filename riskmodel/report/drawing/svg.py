"""Elements of SVG as text."""

from __future__ import annotations

from html import escape


def element(name: str, *content: str, **attributes: object) -> str:
    """Write an element; attributes are escaped, content is SVG already.

    An underscore in the name of an attribute is a hyphen, but one at its end is left out: ``class_``. Attributes that
    are empty text are left out.
    """
    given = {key.rstrip("_").replace("_", "-"): str(value) for key, value in attributes.items()}
    written = "".join(f' {key}="{escape(value)}"' for key, value in given.items() if value)
    return f"<{name}{written}>{''.join(content)}</{name}>" if content else f"<{name}{written}/>"


def percent(share: float) -> str:
    """Write a share of the width or height."""
    return f"{100.0 * share:.2f}%"
