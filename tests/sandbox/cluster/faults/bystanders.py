"""Whom a fault hits, and the strokes that pods are altered with."""

from __future__ import annotations

from typing import Any

from tests.sandbox.cluster import identity
from tests.sandbox.cluster.controllers import pods
from tests.sandbox.cluster.faults.registry import Since
from tests.sandbox.cluster.quantities import parse_rfc3339
from tests.sandbox.cluster.world import World, new

Object = dict[str, Any]
NAMESPACE = "doc-rag-prod"


def pod_of(world: World, workload: str, ordinal: int = -1) -> Object:
    """A pod of this workload, the last by name unless said otherwise."""
    found = [
        pod
        for pod in world.all("Pod")
        if pod["metadata"].get("labels", {}).get("app") == workload and pods.is_active(pod)
    ]
    if not found:
        raise LookupError(f"workload {workload!r} has no pod to act on; another fault may have removed it")
    return found[ordinal]


def successor(world: World, pod: Object, since: Since, minutes_ago: float, mark: str) -> Object:
    """A new pod beside or instead of this one, created that long ago by the same owner."""
    reference = pod["metadata"]["ownerReferences"][0]
    owner = world.need(reference["kind"], pod["metadata"]["namespace"], reference["name"])
    name = f"{owner['metadata']['name']}-{identity.letters(5, owner['metadata']['name'], mark)}"
    node = world.need("Node", "", pod["spec"]["nodeName"])
    created = parse_rfc3339(since.ago(minutes_ago))
    minute = (created - world.epoch).total_seconds() / 60
    return world.put(pods.build(world, owner, name, node, {}, minute))


def instead(world: World, pod: Object, since: Since, minutes_ago: float, mark: str) -> Object:
    """The pod that the owner made when this one went."""
    made = successor(world, pod, since, minutes_ago, mark)
    world.remove(pod)
    return made


def unready(pod: Object, moment: str, reason: str = "ContainersNotReady") -> None:
    """Conditions of a pod whose containers are not ready; the containers themselves are left alone."""
    names = " ".join(container["name"] for container in pod["spec"]["containers"])
    for entry in pod["status"]["conditions"]:
        if entry["type"] in ("Ready", "ContainersReady"):
            entry.update(status="False", lastTransitionTime=moment, reason=reason)
            entry["message"] = f"containers with unready status: [{names}]"


def waiting(pod: Object, moment: str, reason: str, message: str) -> Object:
    """Let the pod's container wait, and return its status."""
    unready(pod, moment)
    status: Object = pod["status"]["containerStatuses"][0]
    status.update(ready=False, started=False, state={"waiting": {"reason": reason, "message": message}})
    return status


def never_started(pod: Object, moment: str, reason: str, message: str) -> None:
    """A pod on its node whose container has not run once: phase Pending."""
    status = waiting(pod, moment, reason, message)
    status.pop("containerID")
    status["imageID"] = ""
    pod["status"]["phase"] = "Pending"


def ended(pod: Object, status: Object, reason: str, exit_code: int, started: str, finished: str) -> Object:
    """The `terminated` state of a container's run."""
    return {
        "terminated": {
            "exitCode": exit_code,
            "reason": reason,
            "startedAt": started,
            "finishedAt": finished,
            "containerID": identity.container_id(pod["metadata"]["uid"], status["name"], finished),
        }
    }


def event(world: World, obj: Object, reason: str, message: str, last: str, count: int, source: str) -> None:
    """A Warning about this object, seen that often."""
    metadata = obj["metadata"]
    namespace = metadata.get("namespace", "default")
    name = f"{metadata['name']}.{identity.uid(metadata['name'], reason).replace('-', '')[:16]}"
    involved = {"kind": obj["kind"], "apiVersion": obj["apiVersion"], "name": metadata["name"]}
    involved |= {key: metadata[key] for key in ("namespace", "uid") if key in metadata}
    world.put(new(
        "Event", namespace, name, uid=identity.uid("event", namespace, name), created=last, reason=reason,
        involvedObject=involved, message=message, type="Warning", count=count, firstTimestamp=last,
        lastTimestamp=last, source={"component": source}, reportingComponent=source, reportingInstance="",
        eventTime=None,
    ))  # fmt: skip
