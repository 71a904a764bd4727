"""The step that changes named settings in a ConfigMap's postgresql.conf, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from docrag_ops.core.changes import Plan, Step
from docrag_ops.core.records import Record
from docrag_ops.core.tuning.postgresql_conf import LineChange, changes_of, digest, edited

PATCH = "patch"
SHADOWS = (
    "handed over: once the ConfigMap's new text is in the pod and loaded, ALTER SYSTEM RESET these, or ALTER SYSTEM's "
    "value will hide whatever the ConfigMap says later"
)


class ConfigMapPolicy(Record):
    """Where the platform's postgresql.conf is kept."""

    namespace: Annotated[str, Field(min_length=1, description="the namespace, e.g. doc-rag-prod")]
    name: Annotated[str, Field(min_length=1, description="the ConfigMap's name, e.g. postgres-config")]
    key: Annotated[str, Field(min_length=1, description="the key that has the text, e.g. postgresql.conf")]

    @property
    def path(self) -> str:
        """Its path in the Kubernetes API."""
        return f"/api/v1/namespaces/{self.namespace}/configmaps/{self.name}"

    def __str__(self) -> str:
        return f"ConfigMap {self.namespace}/{self.name}, {self.key}"


@dataclass(frozen=True)
class Text:
    """The text as it is in the cluster."""

    content: str
    version: str

    @property
    def fingerprint(self) -> dict[str, str]:
        """What must still be so when it is patched."""
        return {"resourceVersion": self.version, "text": digest(self.content)[:16]}


def with_config_map(plan: Plan, where: ConfigMapPolicy, text: Text) -> Plan:
    """The plan, with the same values written into the ConfigMap after all of them have taken effect."""
    values = {str(one.details["setting"]): str(one.details["value"]) for one in plan.steps}
    try:
        changes = changes_of(text.content, values)
    except ValueError as error:
        return replace(plan, protected=(*plan.protected, (str(where), f"refused: {error}")))
    if not changes:
        return plan
    names = ", ".join(values)
    step = Step(
        action=PATCH,
        subject=f"{where}: {names}",
        target=plan.steps[0].target,
        fingerprint=text.fingerprint,
        details={
            "lines": [[one.number, one.before, one.after] for one in changes],
            "text_after": digest(edited(text.content, changes)),
            "why": f"{len(changes)} of its {text.content.count(chr(10)) + 1} lines, so that a new pod has them too; "
            "everything else stays, byte for byte",
        },
    )
    return replace(plan, steps=(*plan.steps, step), handed_over=(*plan.handed_over, (names, SHADOWS)))


def lines_of(details: Mapping[str, object]) -> Sequence[LineChange]:
    """The changes that a step says, as they were planned."""
    lines = details["lines"]
    if not isinstance(lines, list):
        raise TypeError(f"'lines' of a planned step is {lines!r}; expected a list")
    return [LineChange(*line) for line in lines]
