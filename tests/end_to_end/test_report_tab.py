"""The report tab in a real browser, in Airflow's own UI: what an operator sees there, and what evidence cannot do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expect
from selenium.webdriver.support.wait import WebDriverWait

from tests.end_to_end.history import history_of
from tests.sandbox import airflow_settings, screenshot
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.end_to_end

DAG_ID = "daily_health_check"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PATIENCE_SECONDS = 60
HOSTILE = """<script>document.title = "owned"</script><img src=x onerror="document.title='owned'">"""


@pytest.fixture(scope="module")
def run_id(airflow: AirflowClient, sandbox: Settings) -> str:
    """A run whose report has a finding with hostile evidence."""
    airflow.wait_for_dag(DAG_ID, parsed_after=LONG_AGO)
    airflow.unpause(DAG_ID)
    run, _ = airflow.run(DAG_ID)
    hostile = {"check": "redis_ping", "subject": "redis", "verdict": "critical", "value": 1, "unit": "count"}
    hostile |= {"limit": 0, "evidence": HOSTILE, "remedy": "Start it.", "runbook": "docs/runbooks.md#redis"}
    with history_of(sandbox) as history:
        history.execute(
            "UPDATE reports SET result = jsonb_set(result, '{findings}', %s || (result->'findings'))"
            " WHERE entry = %s AND run_id = %s",
            [json.dumps([hostile]), DAG_ID, run],
        )
    return run


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    started = screenshot.start_browser()
    yield started
    started.quit()


def tab(sandbox: Settings, run_id: str) -> str:
    return f"{airflow_settings.base_url(sandbox)}/dags/{DAG_ID}/runs/{run_id}/plugin/docrag-report"


def test_tab_shows_verdict_findings_and_numbers_and_hostile_evidence_literally(sandbox, run_id, browser):
    passwords = airflow_settings.user_passwords(sandbox)
    screenshot.log_in(browser, airflow_settings.base_url(sandbox), passwords["viewer"])
    browser.get(tab(sandbox, run_id))
    wait = WebDriverWait(browser, PATIENCE_SECONDS)
    wait.until(expect.frame_to_be_available_and_switch_to_it((By.TAG_NAME, "iframe")))
    finding = wait.until(expect.visibility_of_element_located((By.CSS_SELECTOR, ".finding.critical")))
    for folded in browser.find_elements(By.CSS_SELECTOR, "details:not([open]) > summary"):
        folded.click()
    text = browser.find_element(By.TAG_NAME, "body").text
    assert "redis_ping" in finding.text
    assert HOSTILE in text
    assert "postgres_connections_used" in text
    assert browser.find_elements(By.CSS_SELECTOR, "script, img") == []
    assert browser.execute_script("return window.top.document.title") != "owned"


def test_without_a_login_the_tab_shows_the_login(sandbox, run_id, browser):
    browser.get(tab(sandbox, run_id))
    wait = WebDriverWait(browser, PATIENCE_SECONDS)
    wait.until(expect.visibility_of_element_located((By.NAME, "password")))
    assert "redis_ping" not in browser.page_source


def test_without_a_login_the_page_itself_answers_nothing(sandbox, run_id, browser):
    browser.get(f"{airflow_settings.base_url(sandbox)}/docrag/runs/{DAG_ID}/{run_id}")
    assert "redis_ping" not in browser.page_source
    assert "Not authenticated" in browser.page_source
