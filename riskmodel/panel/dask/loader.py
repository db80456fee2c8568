"""How a worker comes by a chunk: by tasks that run as one with what is made of it, so that no chunk can travel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Self, final

from attrs import frozen

Key = Any  # hashable


@final
@frozen(eq=False)
class Loader:
    """The tasks that make one chunk and that nothing else needs.

    Dask fuses chains of tasks, but not a task of two inputs, such as a chunk and what is known of its dates. Left to
    itself, it would keep the chunk beside the task, and might send it to a worker with less to do.

    Attributes
    ----------
    key : hashable
        The chunk's.
    graph : dict
        The tasks by key; empty where the chunk itself is an input.
    inputs : tuple
        Keys of what they need from elsewhere: chunks that are there already, or that several need, files.
    """

    key: Key
    graph: dict[Key, Any]
    inputs: tuple[Key, ...]

    @classmethod
    def of(cls, graph: Mapping[Key, Any], keys: Iterable[Key]) -> list[Self]:
        """Those of some chunks, of the tasks of a graph."""
        needs = {key: _needs(node) for key, node in graph.items()}
        users: dict[Key, set[Key]] = {key: set() for key in graph}
        for key, wanted in needs.items():
            for one in wanted & graph.keys():
                users[one].add(key)
        inside = {key for key, wanted in needs.items() if wanted <= graph.keys()}
        return [cls._cut(graph, needs, users, inside, key) for key in keys]

    @classmethod
    def _cut(
        cls,
        graph: Mapping[Key, Any],
        needs: Mapping[Key, set[Key]],
        users: Mapping[Key, set[Key]],
        inside: set[Key],
        key: Key,
    ) -> Self:
        own: set[Key] = set()
        more, inputs = {key} & inside, {key}
        while more:
            own |= more
            inputs = set().union(*(needs[k] for k in own)) - own
            more = {k for k in inputs & inside if users[k] <= own}
        return cls(key, {k: graph[k] for k in own}, tuple(inputs))

    def load(self, inputs: list[Any]) -> Any:
        """Run the tasks here and now."""
        from dask.local import get_sync  # noqa: PLC0415 - optional

        if not self.graph:
            return inputs[0]
        given = {k: (partial(_same, x),) for k, x in zip(self.inputs, inputs, strict=True)}
        return get_sync(self.graph | given, self.key)


def _needs(node: Any) -> set[Key]:
    """Keys of a task's inputs, those in a cluster's memory included; where it cannot tell, one that is nowhere."""
    return set(getattr(node, "dependencies", {object()}))


def _same(value: Any) -> Any:
    return value
