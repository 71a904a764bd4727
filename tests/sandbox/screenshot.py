"""The picture in the README: the last run of daily_health_check in Airflow's own UI.

`python -m tests.sandbox.screenshot [FILE]` logs in to the Airflow of `make demo` as `viewer` and takes a picture
of the newest run's graph. Needs Debian's packages chromium and chromium-driver.
"""

import sys
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expect
from selenium.webdriver.support.wait import WebDriverWait

from tests.sandbox import airflow_services, airflow_settings
from tests.sandbox.errors import SandboxError
from tests.sandbox.settings import REPOSITORY, Settings, load_settings

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
ENTRY, USER = "daily_health_check", "viewer"
WIDTH, HEIGHT = 1600, 1080
PATIENCE_SECONDS = 60
DEFAULT = REPOSITORY / "docs/daily_health_check.png"


def take(settings: Settings, path: Path) -> None:
    url = airflow_settings.base_url(settings)
    run_id = newest_run(settings)
    browser = start_browser()
    try:
        log_in(browser, url, airflow_settings.user_passwords(settings)[USER])
        browser.get(f"{url}/dags/{ENTRY}/runs/{run_id}")
        wait = WebDriverWait(browser, PATIENCE_SECONDS)
        wait.until(expect.visibility_of_element_located((By.XPATH, "//*[normalize-space()='report']")))
        path.parent.mkdir(parents=True, exist_ok=True)
        browser.save_screenshot(str(path))
    finally:
        browser.quit()


def newest_run(settings: Settings) -> str:
    client = airflow_services.connect(settings, USER)
    newest = {"limit": 1, "order_by": "-run_after"}
    runs = client.call("GET", f"/api/v2/dags/{ENTRY}/dagRuns", params=newest)["dag_runs"]
    if not runs:
        raise SandboxError(f"{ENTRY} has not run yet; `make demo` runs it")
    run_id: str = runs[0]["dag_run_id"]
    return run_id


def start_browser() -> webdriver.Chrome:
    if not (CHROMIUM.exists() and DRIVER.exists()):
        raise SandboxError(f"{CHROMIUM} or {DRIVER} is missing: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--force-device-scale-factor=1",
        "--disable-background-networking",  # nothing but the page is asked for
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ):
        options.add_argument(argument)
    options.add_argument(f"--window-size={WIDTH},{HEIGHT}")
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))


def log_in(browser: webdriver.Chrome, url: str, password: str, user: str = USER) -> None:
    browser.get(url)
    wait = WebDriverWait(browser, PATIENCE_SECONDS)
    wait.until(expect.element_to_be_clickable((By.NAME, "username"))).send_keys(user)
    browser.find_element(By.NAME, "password").send_keys(password)
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    wait.until(expect.url_matches(f"^{url}/(?!auth)"))


if __name__ == "__main__":
    try:
        target = Path(sys.argv[1]) if sys.argv[1:] else DEFAULT
        take(load_settings(), target)
        print(f"written to {target}")
    except SandboxError as error:
        sys.exit(f"error: {error}")
