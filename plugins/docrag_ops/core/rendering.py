"""Reports and messages as a person reads them; the texts are Jinja templates in `include/reports/`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from docrag_ops.core.change_findings import headline
from docrag_ops.core.findings import Finding
from docrag_ops.core.judging import EVERYTHING
from docrag_ops.core.performance.charts import chart_lines
from docrag_ops.core.sparklines import sparkline_points
from docrag_ops.core.texts import one_line
from docrag_ops.core.units import format_amount, format_value
from docrag_ops.core.verdicts import Verdict

WIDTH = 110
MOST_NAMED = 3
UNMEASURED = "Mend what the evidence says: until it is, nothing is known of all that these checks look at."


@dataclass(frozen=True)
class Group:
    """Findings that share verdict, evidence, remedy and runbook: one cause, told once."""

    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The finding whose evidence and remedy are shown."""
        return self.findings[0]

    @property
    def headline(self) -> str:
        """The checks, each with its subject, or with how many it has, and the first of them."""
        by_check: dict[str, list[str]] = {}
        for finding in self.findings:
            by_check.setdefault(finding.check, []).append(one_line(finding.subject))
        return "; ".join(
            (check if subjects == [EVERYTHING] else f"{check}: {subjects[0]}")
            + (f" and {len(subjects) - 1:,} more" if len(subjects) > 1 else "")
            for check, subjects in by_check.items()
        )

    @property
    def title(self) -> str:
        """The headline, or of many checks the first: a title is read on the lock screen of a telephone."""
        checks = list(dict.fromkeys(finding.check for finding in self.findings))
        if len(checks) <= MOST_NAMED:
            return self.headline
        return f"{', '.join(checks[:MOST_NAMED])} and {len(checks) - MOST_NAMED:,} more checks"

    @property
    def remedy(self) -> str:
        """What to do; when one cause keeps several checks from being measured, none of theirs is meant for it."""
        if self.verdict is Verdict.UNKNOWN and len({finding.check for finding in self.findings}) > 1:
            return UNMEASURED
        return self.first.remedy


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """Unknown findings for the same reason become one group; every other finding stands for itself."""
    groups: dict[object, list[Finding]] = {}
    for number, finding in enumerate(findings):
        alike = finding.verdict is Verdict.UNKNOWN and finding.evidence
        groups.setdefault(finding.evidence if alike else number, []).append(finding)
    return [Group(members[0].verdict, tuple(members)) for members in groups.values()]


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings there are of each verdict, the worst first."""
    worst_first = sorted(Verdict, key=lambda verdict: -verdict.severity)
    return {str(one): sum(finding.verdict is one for finding in findings) for one in worst_first}


def render(template: str, **values: Any) -> str:
    """Render a text; a name it uses and is not given is an error, not an empty text."""
    return compiled(template).render(**values)


def render_page(template: str, **values: Any) -> str:
    """Render HTML; every value is escaped, so foreign text is shown literally, whatever it holds."""
    return compiled(template, escape_html=True).render(**values)


@lru_cache(maxsize=32)
def compiled(template: str, *, escape_html: bool = False) -> Template:
    """A text that is ready to be rendered, kept by what it says: compiling takes longer than rendering."""
    return _environment(escape_html=escape_html).from_string(template)


def _environment(*, escape_html: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=escape_html,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        headline=headline,
        line=one_line,
        number=format_value,
        amount=format_amount,
        wrap=_wrap,
        sparkline=sparkline_points,
        lines=chart_lines,
    )
    environment.globals.update(grouped=grouped, counts=counts)
    return environment


def _wrap(text: str, indent: int = 0) -> str:
    """Foreign text on lines of readable length; nothing of it is interpreted."""
    lines = textwrap.wrap(one_line(text), WIDTH - indent, break_long_words=False, break_on_hyphens=False)
    return ("\n" + " " * indent).join(lines)
