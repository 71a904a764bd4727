"""Answering the question of a run, as a person does in the UI."""

import time

from tests.end_to_end.messages import wait_for
from tests.sandbox.airflow_client import FINISHED, AirflowClient

TRIES = 3
PARKING_SECONDS = 3  # an answer within the first second of waiting fails the task once


def wait_for_question(client: AirflowClient, dag_id: str, run_id: str, task_id: str) -> None:
    """Until the run has waited for a person for as long as one takes to read it."""
    wait_for(lambda: waits(client, dag_id, run_id, task_id), f"the question of {dag_id}")
    time.sleep(PARKING_SECONDS)


def answer(client: AirflowClient, dag_id: str, run_id: str, task_id: str, option: str) -> None:
    """Choose an option; again when it is asked again, as Airflow may lose an answer that comes too soon
    (apache/airflow #66374, #71580)."""
    where = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"
    for _ in range(TRIES):
        client.call("PATCH", where, json={"chosen_options": [option], "params_input": {}})
        wait_for(lambda: not waits(client, dag_id, run_id, task_id), "the answer to be taken")
        wait_for(
            lambda: went_on(client, dag_id, run_id, task_id) or waits(client, dag_id, run_id, task_id),
            "what comes of the answer",
        )
        if went_on(client, dag_id, run_id, task_id):
            return
        time.sleep(PARKING_SECONDS)
    raise AssertionError(f"{task_id} of {dag_id} asked again after {TRIES} answers")


def waits(client: AirflowClient, dag_id: str, run_id: str, task_id: str) -> bool:
    return client.task_states(dag_id, run_id).get(task_id) == "awaiting_input"


def went_on(client: AirflowClient, dag_id: str, run_id: str, task_id: str) -> bool:
    """Whether the task is done, or the run with it."""
    done = client.task_states(dag_id, run_id).get(task_id) in ("success", "skipped", "failed")
    return done or client.state(dag_id, run_id) in FINISHED
