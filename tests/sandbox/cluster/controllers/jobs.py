"""Jobs: here they have all run already, and succeeded."""

from __future__ import annotations

from typing import Any

from tests.sandbox.cluster import identity
from tests.sandbox.cluster.controllers import pods, scheduling
from tests.sandbox.cluster.world import World, condition

Object = dict[str, Any]


def create_pods(world: World) -> None:
    for job in world.all("Job"):
        name = job["metadata"]["name"]
        if not world.owned("Pod", job):
            node = scheduling.choose_node(world, name, job["spec"]["template"], 1)
            pod = pods.build(world, job, f"{name}-{identity.letters(5, name)}", node, {}, 12)
            world.put(pod)
            finish(pod, world.after(12.2), world.after(13), exit_code=0)


def finish(pod: Object, started: str, finished: str, exit_code: int) -> None:
    """Let every container of the pod end with this exit code."""
    succeeded = exit_code == 0
    reason = "Completed" if succeeded else "Error"
    pod["status"]["phase"] = "Succeeded" if succeeded else "Failed"
    unready = "PodCompleted" if succeeded else "PodFailed"
    for entry in pod["status"]["conditions"]:
        if entry["type"] in ("Ready", "ContainersReady", "PodReadyToStartContainers"):
            entry.update(status="False", lastTransitionTime=finished)
            if entry["type"] != "PodReadyToStartContainers":
                entry["reason"] = unready
    for status in pod["status"]["containerStatuses"]:
        ended = {
            "exitCode": exit_code,
            "reason": reason,
            "startedAt": started,
            "finishedAt": finished,
            "containerID": status["containerID"],
        }
        status.update(ready=False, started=False, state={"terminated": ended})


def settle(world: World) -> None:
    for job in world.all("Job"):
        owned = world.owned("Pod", job)
        failed = [pod for pod in owned if pod["status"]["phase"] == "Failed"]
        started, ended = world.after(12), world.after(13.1)
        if not failed:
            job["status"] = {
                "startTime": started,
                "completionTime": ended,
                "succeeded": len(owned),
                "ready": 0,
                "terminating": 0,
                "uncountedTerminatedPods": {},
                "conditions": [
                    _condition(name, "CompletionsReached", "Reached expected number of succeeded pods", ended)
                    for name in ("SuccessCriteriaMet", "Complete")
                ],
            }
        else:
            moment = max(
                status["state"]["terminated"]["finishedAt"]
                for pod in failed
                for status in pod["status"]["containerStatuses"]
            )
            job["status"] = {
                "startTime": started,
                "failed": len(failed),
                "ready": 0,
                "terminating": 0,
                "uncountedTerminatedPods": {},
                "conditions": [
                    _condition(
                        name, "BackoffLimitExceeded", "Job has reached the specified backoff limit", moment
                    )
                    for name in ("FailureTarget", "Failed")
                ],
            }


def _condition(name: str, reason: str, message: str, since: str) -> Object:
    return condition(name, "True", reason, message, since, lastProbeTime=since)
