"""Reads the syntax of iCalendar, RFC 5545 section 3.1: folded lines, properties with parameters, components in each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_FOLD = re.compile(rb"\r?\n[ \t]")
_LINE_END = re.compile(r"\r?\n")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)')
_PARAMETER_VALUE = re.compile(r'"([^"]*)"|([^",]+)')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CARET = re.compile(r"\^([n'^])")


class Malformed(ValueError):
    """What was read is no calendar, or not a whole one."""


@dataclass(frozen=True)
class Property:
    """A line of a component."""

    name: str
    value: str  # as it stands there
    parameters: Mapping[str, str]  # of one with several values, the first

    @property
    def text(self) -> str:
        """The value of a property of the type TEXT."""
        return _ESCAPE.sub(lambda m: "\n" if m[1] in "nN" else m[1], self.value)


@dataclass
class Component:
    """What stands between BEGIN and END."""

    name: str
    properties: list[Property] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)

    def all(self, name: str) -> list[Property]:
        """Returns the properties of a name."""
        return [p for p in self.properties if p.name == name]

    def first(self, name: str) -> Property | None:
        """Returns the first property of a name."""
        return next((p for p in self.properties if p.name == name), None)

    def text(self, name: str) -> str:
        """Returns the text of the first property of a name, without white space around it; empty if there is none."""
        found = self.first(name)
        return found.text.strip() if found else ""


def parse(data: bytes) -> list[Component]:
    """Returns the calendars of a stream."""
    top = Component("")
    nested = [top]
    for line in _property_lines(data):
        if line.name == "BEGIN":
            component = Component(line.value.upper())
            nested[-1].components.append(component)
            nested.append(component)
        elif line.name == "END":
            if len(nested) == 1 or nested[-1].name != line.value.upper():
                raise Malformed(f"{line.value[:20]} ends, and has not begun")
            nested.pop()
        else:
            nested[-1].properties.append(line)
    if len(nested) > 1:
        raise Malformed(f"it ends in the middle of a {nested[-1].name}")
    calendars = [c for c in top.components if c.name == "VCALENDAR"]
    if not calendars:
        raise Malformed("there is no VCALENDAR in it")
    return calendars


def _property_lines(data: bytes) -> Iterator[Property]:
    # Lines are folded by bytes, so a character may lie on two lines.
    text = _FOLD.sub(b"", data).decode("utf-8-sig", errors="replace")
    for line in _LINE_END.split(text):
        name = _NAME.match(line)
        if not name:
            continue  # empty, or what some programs leave of a text that they do not fold; other readers ignore it, too
        parameters: dict[str, str] = {}
        end = name.end()
        while parameter := _PARAMETER.match(line, end):
            value = _PARAMETER_VALUE.search(parameter[2])
            if value:
                parameters.setdefault(parameter[1].upper(), _uncaret((value[1] or value[2] or "")))
            end = parameter.end()
        if line[end : end + 1] == ":":
            yield Property(name[0].upper(), line[end + 1 :], parameters)


def _uncaret(value: str) -> str:
    """Decodes what a value of a parameter cannot hold as it is, RFC 6868."""
    return _CARET.sub(lambda m: {"n": "\n", "'": '"', "^": "^"}[m[1]], value)
