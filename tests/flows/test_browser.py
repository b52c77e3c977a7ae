"""A new user's way from Prefect's first page to the champion in MLflow, in a real browser.

Every page that a person would look at is kept as a picture, in the folder POINTSMAN_SCREENSHOTS where it is set.
"""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from PIL import Image

webdriver = pytest.importorskip("selenium.webdriver", reason="skipped: no selenium")
from selenium.common.exceptions import WebDriverException  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402

from flows.platform.offers import OFFERS  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="skipped: needs Debian's chromium and chromium-driver"),
]
PATIENCE_S = 180
RUN_S = 2400
"""A smoke run takes about a minute on an idle machine."""


class Person:
    """Looks, clicks and waits as a person does: by what is written on the page."""

    def __init__(self, driver, pictures: Path):
        self.driver, self.pictures, self.count = driver, pictures, 0

    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def wait(self, holds, seconds=PATIENCE_S):
        deadline = time.monotonic() + seconds
        while True:
            try:
                if found := holds():
                    return found
            except WebDriverException:
                # the page was drawn anew meanwhile
                pass
            assert time.monotonic() < deadline, f"waited in vain at {self.driver.current_url}:\n{self.text()}"
            time.sleep(0.3)

    def named(self, text, tag="*"):
        found = self.driver.find_elements(By.XPATH, f"//{tag}[normalize-space(.)='{text}']")
        return [element for element in found if element.is_displayed()]

    def click(self, text, tag="*"):
        def done():
            self.named(text, tag)[-1].click()
            return True

        self.wait(lambda: self.named(text, tag) and done())

    def sees(self, *texts, seconds=PATIENCE_S):
        for text in texts:
            self.wait(lambda text=text: text in self.text(), seconds)

    def picture(self, name):
        # charts and fonts arrive after the words
        time.sleep(2)
        self.count += 1
        path = self.pictures / f"{self.count:02}-{name}.png"
        assert self.driver.save_screenshot(str(path))
        with Image.open(path) as taken:
            # for a README: a quarter of the size, and nothing that the eye misses
            taken.convert("RGB").quantize(128).save(path, optimize=True)
        assert path.stat().st_size > 10_000


@pytest.fixture(scope="module")
def person(tmp_path_factory):
    given = os.environ.get("POINTSMAN_SCREENSHOTS")
    pictures = Path(given) if given else tmp_path_factory.mktemp("screenshots")
    pictures.mkdir(parents=True, exist_ok=True)
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.add_argument("--window-size=1280,1150")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield Person(driver, pictures)
    driver.quit()
    print(f"screenshots: {pictures}")


@pytest.fixture(scope="module")
def addresses(tmp_path_factory, operations):
    home = tmp_path_factory.mktemp("home").resolve()
    with operations.dashboards(home, operations.free_port(), operations.free_port()) as (api, mlflow):
        operations.until(lambda: len(operations.deployments(api)) == len(OFFERS))
        yield api.removesuffix("/api"), mlflow, home


def test_from_the_first_page_to_the_champion(person, addresses, operations):
    prefect, mlflow, home = addresses
    person.driver.get(prefect)
    person.click("Deployments")
    person.sees("retrain", "from-your-logs")
    person.picture("deployments")

    person.click("from-your-logs")
    person.click("Run", "button")
    person.click("Custom run")
    person.sees("Folder with prompts, outcomes and models", "Same seed and data: same router.")
    person.wait(lambda: person.driver.find_elements(By.CSS_SELECTOR, "button[aria-label='Select Preset']"))[0].click()
    person.click("smoke", "*[@role='option']")
    person.picture("form")
    person.click("Submit", "button")
    person.click("View run")
    person.sees("Task runs")
    run_page = person.driver.current_url
    # who looks on has the graph drawn anew all the time, which without a graphics card takes more than the run itself
    person.driver.get("about:blank")
    address = f"{prefect}/api/flow_runs/{run_page.split('?')[0].rstrip('/').rsplit('/', 1)[1]}"
    ends = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
    operations.until(lambda: json.loads(operations.answers(address)[1] or "{}").get("state_type") in ends, RUN_S)
    person.driver.get(run_page)
    person.wait(lambda: person.named("Completed") or person.named("Failed") or person.named("Crashed"))
    assert person.named("Completed"), person.text()
    person.picture("logs")
    assert "did not produce any logs" not in person.text()

    person.click("Artifacts")
    person.sees("validation", "tasks", "evaluation", "verdict", "mlflow-run")
    person.picture("artifacts")
    for name, words in {
        "tasks": ("best candidate", "keywords"),
        "evaluation": ("router", "best_single", "oracle", "regret"),
        "verdict": ("Verdict: promoted", "passed:"),
    }.items():
        open_artifact(person, run_page, name)
        person.sees(*words)
        person.picture(f"artifact-{name}")

    open_artifact(person, run_page, "mlflow-run")
    person.click("The run in MLflow", "a")
    if len(person.driver.window_handles) > 1:
        person.driver.switch_to.window(person.driver.window_handles[-1])
    person.wait(lambda: person.driver.current_url.startswith(mlflow))
    person.sees("Child runs", "heads-router", "method-", "Finished", "router_id", "pointsman")
    parent = person.driver.current_url.split("?")[0]
    # a chat that MLflow opens beside its pages
    for button in person.driver.find_elements(
        By.CSS_SELECTOR, "[data-component-id='mlflow.assistant.chat_panel.close']"
    ):
        button.click()
    person.click("Model training")
    person.driver.get(parent)
    person.sees("Child runs", "heads-router")
    person.picture("mlflow-run")
    for _ in range(10):
        if "partition-0-" in person.text():
            break
        person.click("Load more")
        time.sleep(1)
    person.sees("partition-0-", "-density")

    person.click("Artifacts")
    person.click("report")
    person.click("report.html")
    frame = person.wait(lambda: person.driver.find_elements(By.TAG_NAME, "iframe"))[0]
    person.driver.switch_to.frame(frame)
    person.sees("Router report", "promoted")
    figures = person.wait(lambda: person.driver.find_elements(By.CSS_SELECTOR, "svg, canvas, img"))
    assert figures
    person.driver.switch_to.default_content()
    person.picture("mlflow-figures")

    person.driver.get(f"{parent.rsplit('/', 1)[0]}")
    person.sees("retrain-")
    person.wait(lambda: person.driver.find_elements(By.CSS_SELECTOR, "[data-component-id*='runnamecellrenderer']"))[
        0
    ].click()
    person.sees("heads-router", "method-mlp")
    person.picture("mlflow-runs")

    person.driver.get(f"{mlflow}/#/models/pointsman")
    person.sees("Version 1", "champion")
    person.picture("mlflow-model")
    person.click("Version 1")
    person.sees("champion", "Verdict: promoted")
    person.picture("mlflow-version")

    (report,) = home.glob("data/reports/*/report.html")
    person.driver.get(report.as_uri())
    person.sees("Router report", "promoted")
    person.picture("report")


def open_artifact(person, run_page, name):
    """From the run's artifacts to one of them as it was written in this run."""
    person.driver.get(run_page)
    person.click("Artifacts")
    link = f"//a[contains(@href, '/artifacts/key/{name}')]"
    person.wait(lambda: person.driver.find_elements(By.XPATH, link))[0].click()
    entry = "//a[contains(@href, '/artifacts/artifact/')]"
    person.wait(lambda: person.driver.find_elements(By.XPATH, entry))[0].click()
