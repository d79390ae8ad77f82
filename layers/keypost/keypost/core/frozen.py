"""Frozen dataclasses that cost a cold start a third of those of the standard library. A function loads some 140 of them
before its first call, and the standard library writes and compiles six methods for each. Here only `__init__` is
compiled, when the layer is built; the other methods are the same functions for all classes."""

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from operator import attrgetter
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["dataclass"]

# What a class of the standard library may define itself, and none of ours does.
_NOT_KNOWN = {"__post_init__", "__init__", "__eq__", "__hash__", "__repr__", "__getstate__", "__setstate__"}

# What makes an `__init__`, by its source. layers/keypost/write_inits.py writes this module, so that Python has compiled
# it before; in a clone there is none, and each is compiled when its class is made.
MAKERS: dict[str, Callable[..., Any]] = {}
with suppress(ModuleNotFoundError):
    MAKERS |= import_module("keypost.core.frozen_inits").MAKERS

if TYPE_CHECKING:
    from dataclasses import dataclass  # type checkers know what it promises
else:

    def dataclass(*, frozen: bool = False, slots: bool = False, kw_only: bool = False) -> Callable[[type], type]:
        """As that of the standard library, for classes that are frozen."""
        if not frozen:
            raise TypeError("a class that is not frozen is one of the standard library's")
        # Without methods, this reads the fields only. `fields` and `replace` go by them.
        bare = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)
        return lambda written: _with_methods(_described(bare, written))


def _described(bare: Callable[[type], type], written: type) -> type:
    """The standard library makes a description of a class that has none, and inspects its signature for that."""
    if own := vars(written).keys() & _NOT_KNOWN:
        raise TypeError(f"a class with {', '.join(sorted(own))} is one of the standard library's")
    description = written.__doc__
    written.__doc__ = description or written.__name__
    made = bare(written)
    made.__doc__ = description
    return made


def _with_methods(made: Any) -> type:
    fields = dataclasses.fields(made)
    made.__init__ = _init_of(made, fields)
    made._compared = staticmethod(_getter([field.name for field in fields if field.compare]))  # noqa: SLF001 - its own
    made._hashed = staticmethod(_getter([field.name for field in fields if _is_hashed(field)]))  # noqa: SLF001 - its own
    made.__eq__, made.__hash__, made.__repr__ = _equal, _hash, _shown
    made.__setattr__ = made.__delattr__ = _refuse
    made.__getstate__, made.__setstate__ = _values, _restore
    return made  # type: ignore[no-any-return]


def _init_of(made: type, fields: tuple[dataclasses.Field[Any], ...]) -> Any:
    """Sets each slot by its descriptor, and what has none past `__setattr__`, which refuses every change."""
    names: dict[str, Any] = {"_absent": dataclasses.MISSING}
    given: dict[bool, list[str]] = {False: [], True: []}  # the parameters, by whether they are given by name only
    lines = []
    for field in fields:
        if not field.init:
            raise TypeError(f"{field.name} is not given: such a class is one of the standard library's")
        name, value = field.name, field.name
        names[f"_set_{name}"] = _setter(made, name)
        if field.default_factory is not dataclasses.MISSING:
            names[f"_new_{name}"] = field.default_factory
            parameter, value = f"{name}=_absent", f"_new_{name}() if {name} is _absent else {name}"
        elif field.default is not dataclasses.MISSING:
            names[f"_default_{name}"] = field.default
            parameter = f"{name}=_default_{name}"
        else:
            parameter = name
        given[bool(field.kw_only)].append(parameter)
        lines.append(f"_set_{name}(self,{value})")
    parameters = ",".join(["self", *given[False], *(["*", *given[True]] if given[True] else [])])
    body = "\n".join(f"  {line}" for line in lines or ["pass"])
    return _maker(f"def maker({','.join(names)}):\n def __init__({parameters}):\n{body}\n return __init__\n")(**names)


def _maker(source: str) -> Callable[..., Any]:
    if source not in MAKERS:
        made: dict[str, Any] = {}
        exec(source, made)  # noqa: S102 - of our own names
        MAKERS[source] = made["maker"]
    return MAKERS[source]


def _setter(made: type, name: str) -> Callable[[Any, Any], None]:
    slot = getattr(made, name, None)
    if isinstance(slot, MemberDescriptorType):
        return slot.__set__
    return lambda self, value: object.__setattr__(self, name, value)


def _is_hashed(field: dataclasses.Field[Any]) -> bool:
    return field.compare if field.hash is None else field.hash


def _getter(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda _: ()


def _equal(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self._compared(self) == self._compared(other)


def _hash(self: Any) -> int:
    return hash(self._hashed(self))


def _shown(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, *_: object) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot change {name!r} of {self.__class__.__qualname__}")


def _values(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _restore(self: Any, values: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), values, strict=True):
        object.__setattr__(self, field.name, value)
