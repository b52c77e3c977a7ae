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
from selenium.webdriver.common.keys import Keys  # noqa: E402

from components.sources.planted.world import PlantedConfig, write_world  # noqa: E402
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
"""A small run takes about a minute on an idle machine."""
FOREIGN = "evil.example"
ASK = """
const done = arguments[arguments.length - 1], got = [];
(async () => {
  for (const [address, asked] of arguments[0]) {
    try {
      const answer = await fetch(address, {credentials: "include", ...asked});
      got.push(answer.type === "opaque" ? "opaque" : `${answer.status} ${await answer.text()}`);
    } catch (error) { got.push("refused"); }
  }
  done(got);
})();
"""


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

    def comes_new_to(self, address):
        """Opens a page as somebody who was never there: in a tab of its own, the only one, with nothing remembered."""
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": address, "storageTypes": "all"})
        before = self.driver.window_handles
        self.driver.switch_to.new_window("tab")
        here = self.driver.current_window_handle
        for tab in before:
            self.driver.switch_to.window(tab)
            self.driver.close()
        self.driver.switch_to.window(here)
        self.driver.get(address)

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
    # a name that an attacker owns, pointed at loopback
    options.add_argument(f"--host-resolver-rules=MAP {FOREIGN} 127.0.0.1")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield Person(driver, pictures)
    driver.quit()
    print(f"screenshots: {pictures}")


def sign_in(person, prefect, mlflow, password):
    """As the lines of `make ui` say: Prefect asks on its first page, MLflow by the browser's own question."""
    person.comes_new_to(prefect)
    person.sees("Login")
    field = person.wait(lambda: person.driver.find_elements(By.TAG_NAME, "input"))[0]
    field.send_keys(f"pointsman:{password}", Keys.ENTER)
    person.sees("Dashboard")
    person.driver.get(mlflow.replace("http://", f"http://pointsman:{password}@"))
    # its pages refuse an address that holds a password
    person.driver.get(mlflow)
    person.sees("Model training")


@pytest.fixture(scope="module")
def addresses(tmp_path_factory, operations):
    home = tmp_path_factory.mktemp("home").resolve()
    write_world(home / "data" / "logs", PlantedConfig(prompts=700, seed=0))
    with operations.dashboards(home, operations.free_port(), operations.free_port()) as (api, mlflow):
        operations.until(lambda: len(operations.deployments(api)) == len(OFFERS))
        yield api.removesuffix("/api"), mlflow, home


def test_from_the_first_page_to_the_champion(person, addresses, operations):
    prefect, mlflow, home = addresses
    sign_in(person, prefect, mlflow, (home / "data/secrets/dashboards").read_text().strip())
    person.driver.get(f"{prefect}/deployments")
    person.sees("retrain", "from-your-logs")
    person.picture("deployments")

    person.click("from-your-logs")
    person.click("Run", "button")
    person.click("Custom run")
    person.sees("Settings", "Folder of logs", "What the router is for", "Conditions for publishing")
    person.sees("Same seed and data: same router.")
    (encoder,) = person.wait(
        lambda: [
            one for one in person.driver.find_elements(By.TAG_NAME, "textarea") if one.get_attribute("value") == "auto"
        ]
    )
    encoder.clear()
    encoder.send_keys("static")
    person.picture("form")
    person.click("Submit", "button")
    person.click("View run")
    person.sees("Task Runs")
    run_page = person.driver.current_url
    # who looks on has the graph drawn anew all the time, which without a graphics card takes more than the run itself
    person.driver.get("about:blank")
    address = f"{prefect}/api/flow_runs/{run_page.split('?')[0].rstrip('/').rsplit('/', 1)[1]}"
    verdicts = ("Promoted", "Refused", "Not enough evidence")
    ends = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
    operations.until(lambda: json.loads(operations.answers(address)[1] or "{}").get("state_type") in ends, RUN_S)
    person.driver.get(run_page)
    person.wait(lambda: [name for name in (*verdicts, "Failed", "Crashed") if person.named(name)])
    (verdict,) = [name for name in verdicts if person.named(name)]
    person.picture("logs")
    assert "did not produce any logs" not in person.text()

    person.click("Artifacts")
    person.sees("validation", "tasks", "coverage", "evaluation", "verdict", "mlflow-run")
    person.picture("artifacts")
    told = {
        "tasks": ("best candidate", "keywords"),
        "evaluation": ("router", "best_single", "oracle", "regret"),
        "coverage": ("prompts", "aster-large-2"),
        "verdict": (f"Verdict: {verdict.lower()}", "passed:"),
    }
    # all at once: this page draws its graph anew whenever it is opened
    artifacts = person.wait(lambda: {*told, "mlflow-run"} <= (found := artifact_pages(person)).keys() and found)
    for name, words in told.items():
        open_artifact(person, artifacts[name])
        person.sees(*words)
        person.picture(f"artifact-{name}")

    open_artifact(person, artifacts["mlflow-run"])
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
    person.sees("Router report", verdict.lower(), "What to do next")
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
    person.sees("Version 1", "challenger")
    person.picture("mlflow-model")
    person.click("Version 1")
    person.sees(f"Verdict: {verdict.lower()}")
    person.picture("mlflow-version")

    (report,) = home.glob("data/reports/*/report.html")
    person.driver.get(report.as_uri())
    person.sees("Router report", verdict.lower())
    person.picture("report")


def test_attack_1_pages_of_other_origins_and_foreign_names_get_nothing(person, addresses, operations, tmp_path):
    prefect, mlflow, home = addresses
    sign_in(person, prefect, mlflow, (home / "data/secrets/dashboards").read_text().strip())
    # the browser knows both passwords now, and sends MLflow's with whatever it is made to ask
    asked = {"method": "POST", "headers": {"content-type": "text/plain"}, "body": '{"name": "made-by-a-page"}'}
    asks = [
        [f"{server}{path}", options]
        for server, path in (
            (prefect, "/api/admin/version"),
            (prefect, "/api/flows/"),
            (mlflow, "/api/2.0/mlflow/experiments/create"),
            (mlflow, "/ajax-api/2.0/mlflow/experiments/create"),
        )
        for options in ({}, asked, {**asked, "mode": "no-cors"})
    ]
    (tmp_path / "index.html").write_text("<h1>a page of another origin</h1>")
    port = operations.free_port()
    page = ("http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path))
    with operations.started(dict(os.environ), tmp_path, *page, quiet=True):
        operations.until(lambda: operations.answers(f"http://127.0.0.1:{port}/")[0] == 200)
        person.driver.get(f"http://127.0.0.1:{port}/")
        answers = person.driver.execute_async_script(ASK, asks)
    assert set(answers) <= {"refused", "opaque"}, answers
    for server in (prefect, mlflow):
        person.driver.get(f"http://{FOREIGN}:{server.rsplit(':', 1)[1]}/")
        person.sees("this host isn't served here")
        (answer,) = person.driver.execute_async_script(ASK, [["/api/flows/filter", asked]])
        assert answer == "403 this host isn't served here\n"
    _, flows = operations.answers(f"{prefect}/api/flows/filter", {})
    _, experiments = operations.answers(f"{mlflow}/api/2.0/mlflow/experiments/search", {"max_results": 100})
    assert b"made-by-a-page" not in flows + experiments
    assert json.loads(experiments)["experiments"]


def artifact_pages(person):
    """Where the cards of a run's artifacts lead, by each line on them, the name among these."""
    links = person.driver.find_elements(By.XPATH, "//a[contains(@href, '/artifacts/')]")
    return {line: link.get_attribute("href") for link in links for line in link.text.splitlines()}


def open_artifact(person, page):
    """From a card to what this run has written: in one of Prefect's two designs the versions stand between."""
    person.driver.get(page)
    if "/artifacts/key/" in page:
        entry = "//a[contains(@href, '/artifacts/artifact/')]"
        person.wait(lambda: person.driver.find_elements(By.XPATH, entry))[0].click()
