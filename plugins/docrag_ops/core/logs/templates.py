"""Templates: what log messages have in common, mined while they stream by.

Numbers and identifiers are masked. Messages that then differ in one word stay apart, as those words mostly say what
happened, until a place has had so many different words that it must be a variable (a user, a file): it becomes
`<*>`. Deterministic and bounded. drain3, the usual library, pins a cachetools that does not install beside Airflow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from docrag_ops.core.logs.levels import Level

ANY = "<*>"
VARIANTS = 25
"""So many words in one place make it a variable."""
ALIKE_RATIO = 0.5
"""Templates with this share of words in common are made one, when there are too many templates."""
MOST_TEMPLATES = 500
MOST_WORDS = 60
MOST_REMEMBERED = 10_000

_VARIABLE = re.compile(
    r"""
      [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F-]{22}
    | (?<![\w]) (?=[\w+/-]*\d) (?: 0x[0-9a-fA-F]+ | [0-9a-fA-F]{8,} | [\w+/-]{20,}={0,2} ) (?![\w])
    | \d+ (?: [.:,/T-]\d+ )* (?: (?:Z|ms|µs|us|ns|s|m|h|%|[KMGT]i?B?|B)\b )?
    """,
    re.VERBOSE,
)


def masked(message: str) -> str:
    """The message with numbers, times, addresses and identifiers as `<*>`.

    >>> masked("timeout after 3.5s at 10.0.0.7:5432, request 9f86d081884c7d65")
    'timeout after <*> at <*>, request <*>'
    """
    return _VARIABLE.sub(ANY, message)


@dataclass(eq=False)
class Template:
    """What many messages have in common. `known`: an earlier run had it."""

    level: Level
    words: list[str]
    known: bool = False
    count: int = 0
    first_at: str = ""
    last_at: str = ""
    pod: str = ""
    example: str = ""

    @property
    def text(self) -> str:
        """The words with `<*>` where messages differ."""
        return " ".join(self.words)

    def saw(self, *, at: str, pod: str, line: bytes) -> None:
        """Count one more line; the newest one is the example."""
        self.count += 1
        self.first_at = min(self.first_at or at, at)
        if at >= self.last_at:
            self.last_at, self.pod = at, pod
            self.example = line[:500].decode("utf-8", "backslashreplace")

    def fits(self, words: list[str]) -> bool:
        """Whether a message of as many words is one of these."""
        return all(mine in (word, ANY) for mine, word in zip(self.words, words, strict=True))

    def places_apart(self, words: list[str]) -> list[int]:
        """Where this template and as many words differ."""
        return [
            place for place, (mine, word) in enumerate(zip(self.words, words, strict=True)) if mine != word
        ]

    def take_in(self, other: Template) -> None:
        """Become what both have in common."""
        for place in self.places_apart(other.words):
            self.words[place] = ANY
        if other.last_at >= self.last_at:
            self.last_at, self.pod, self.example = other.last_at, other.pod, other.example
        self.first_at = min(filter(None, (self.first_at, other.first_at)), default="")
        self.known = self.known or other.known
        self.count += other.count


@dataclass
class TemplateMiner:
    """Finds or makes each message's template. Memory is bounded: what comes beyond `most` of errors, or as many of
    warnings, is only counted; warnings take no error's place.

    The order of messages decides where templates generalise, so the same logs in the same order give the same
    templates. Starting from those of earlier runs tells what is new.
    """

    most: int = MOST_TEMPLATES
    beyond: int = 0
    beyond_errors: int = 0
    """Those of `beyond` that are errors."""
    _groups: dict[tuple[Level, int], list[Template]] = field(default_factory=dict)
    _remembered: dict[tuple[Level, str], Template] = field(default_factory=dict)
    _condensed: set[bool] = field(default_factory=set)

    def know(self, earlier: Iterable[tuple[Level, str]]) -> None:
        """Take in the templates of earlier runs, as if they had been seen before."""
        for level, text in earlier:
            if self._find(level, words := text.split(" ")) is None:
                self._make(level, words, known=True)

    def add(self, level: Level, message: str) -> Template | None:
        """The template of a message; None when there are too many templates already."""
        text = masked(message)
        found = self._remembered.get((level, text))
        if found is None:
            words = text.split()[:MOST_WORDS] or [""]
            found = self._find(level, words) or self._make(level, words, known=False)
            if found is None:
                self.beyond += 1
                self.beyond_errors += level.is_error
                return None
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[level, text] = found
        return found

    def seen(self) -> list[Template]:
        """The templates of this run, worst and most frequent first."""
        order = list(Level)
        found = [template for group in self._groups.values() for template in group if template.count]
        return sorted(found, key=lambda one: (order.index(one.level), -one.count, one.text))

    def _find(self, level: Level, words: list[str]) -> Template | None:
        return next((one for one in self._groups.get((level, len(words)), ()) if one.fits(words)), None)

    def _make(self, level: Level, words: list[str], *, known: bool) -> Template | None:
        if sum(map(len, self._alike(level))) >= self.most:
            self._condense(level)
            return self._find(level, words)
        template = Template(level, words, known)
        group = self._groups.setdefault((level, len(words)), [])
        group.append(template)
        variants: dict[int, list[Template]] = {}
        for other in group[:-1]:
            apart = other.places_apart(words)
            if len(apart) == 1:
                variants.setdefault(apart[0], []).append(other)
        for others in variants.values():
            if len(others) + 1 >= VARIANTS:
                self._unite(group, template, others)
                break
        return template

    def _alike(self, level: Level) -> list[list[Template]]:
        """The groups of errors, or all others."""
        return [group for (other, _), group in self._groups.items() if other.is_error is level.is_error]

    def _unite(self, group: list[Template], template: Template, others: list[Template]) -> None:
        for other in others:
            template.take_in(other)
            group.remove(other)
        self._remembered.clear()

    def _condense(self, level: Level) -> None:
        """Make templates that are alike one, once: after that, what does not fit is only counted."""
        if level.is_error in self._condensed:
            return
        self._condensed.add(level.is_error)
        for group in self._alike(level):
            for template in list(group):
                if template in group:
                    most_apart = len(template.words) * (1 - ALIKE_RATIO)
                    alike = [
                        other
                        for other in group
                        if other is not template and len(template.places_apart(other.words)) <= most_apart
                    ]
                    self._unite(group, template, alike)
