"""The console: one page without anything from elsewhere; in a browser it decides and shows what was decided."""

import re
import shutil
import threading
import time

import pytest
import uvicorn
from fastapi.testclient import TestClient

from components.release.publish import publish
from components.release.writing import write_bundle
from pointsman.serving import console
from pointsman.serving.app import ServingConfig, create_app
from tests.fixtures.tiny_router import REPORT

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def test_the_page_is_whole_and_its_policy_allows_nothing_else(bundle):
    answer = TestClient(create_app(bundle, ServingConfig(reload_seconds=0, token="sesame"))).get("/")
    assert answer.status_code == 200
    assert not re.findall(r"""(?:src|href|@import|url\()\s*=?\s*["'(]?(?:https?:)?//""", answer.text)
    assert "onclick" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert policy.count("'sha256-") == 2


def test_traffic_adds_up(bundle, prompts):
    http = TestClient(create_app(bundle, ServingConfig(reload_seconds=0)))
    decisions = http.post("/v1/route", json={"prompts": prompts}).json()["decisions"]
    told = http.get("/v1/traffic").json()
    assert told["prompts"] == sum(told["by_candidate"].values()) == sum(told["by_task"].values()) == len(prompts)
    assert told["cost"] == pytest.approx(sum(d["expected_cost_usd"] for d in decisions))
    best_single = http.get("/v1/router").json()["best_single"]
    always = [next(s["cost"] for s in d["scores"] if s["candidate"] == best_single) for d in decisions]
    assert told["baseline"] == pytest.approx(sum(always))
    assert [d["decision_id"] for d in told["recent"]] == [d["decision_id"] for d in decisions][::-1]


def test_standing_is_the_curve_and_the_last_verdicts(bundle, second, tmp_path):
    publish(bundle, tmp_path)
    publish(second, tmp_path)
    with (tmp_path / "history.jsonl").open("ab") as file:
        file.write(b'{"torn')
    http = TestClient(create_app(tmp_path, ServingConfig(reload_seconds=0)))
    told = http.get("/v1/standing").json()
    assert [one["router_id"] for one in told["history"]] == [second.name, bundle.name]
    assert {one["verdict"] for one in told["history"]} == {"promoted"}
    # the tiny router was never judged, and carries no curve
    assert told["whatif"] == {"policies": []}
    assert http.get("/v1/standing?requests=0").status_code == 422
    assert TestClient(create_app(bundle, ServingConfig())).get("/v1/standing").json()["history"] == []


@pytest.fixture(scope="module")
def judged(parts, tmp_path_factory):
    """A router in service whose report has a curve of two policies."""
    point = {
        "quality": [0.8, 0.7, 0.9],
        "gain": [0.01, -0.01, 0.03],
        "shares": {"a little": 0.2, "most": 0.8},
        "prompts": 10,
    }
    costs = [("best", 2.0, [1.0, 1.0, 1.0]), ("tradeoff=0.01", 0.5, [0.25, 0.2, 0.3])]
    curve = [{**point, "policy": name, "cost_usd_per_1000": usd, "cost_ratio": ratio} for name, usd, ratio in costs]
    report = {**REPORT, "whatif": curve, "operating": {"best_single": {"name": "large"}}}
    named = (parts.provenance, report, parts.golden)
    folder, root = tmp_path_factory.mktemp("judged"), tmp_path_factory.mktemp("root")
    publish(folder / write_bundle(folder, parts.model, parts.feature_map, parts.encoder_folder, *named), root)
    return root


def test_the_curve_is_that_of_whatif(judged):
    http = TestClient(create_app(judged, ServingConfig(reload_seconds=0)))
    told = http.get("/v1/standing?requests=1000").json()["whatif"]["policies"]
    assert [(one["policy"], one["operating"]) for one in told] == [("tradeoff=0.01", False), ("best", True)]
    assert [(one["usd_a_month"], one["saved_usd_a_month"]) for one in told] == [(0.5, 1.5), (2.0, 0.0)]


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_a_browser_routes_a_prompt(judged):
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

    config = uvicorn.Config(create_app(judged, ServingConfig()), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=420,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options)
    try:
        browser.get(f"http://127.0.0.1:{port}/")
        WebDriverWait(browser, 60).until(lambda b: "candidates" in b.find_element(By.ID, "router").text)
        browser.find_element(By.ID, "prompt").send_keys("add <b>1</b> 2")
        browser.find_element(By.CSS_SELECTOR, "#form button").click()
        WebDriverWait(browser, 60).until(lambda b: b.find_elements(By.CSS_SELECTOR, "#answer tr.chosen"))
        assert browser.find_element(By.ID, "trouble").text == ""
        # the policy in use is where the slider stands; the keyboard moves it
        assert browser.find_element(By.ID, "promise").text.startswith("best (in use): quality 0.800")
        browser.find_element(By.ID, "slider").send_keys(Keys.ARROW_LEFT)
        promise = browser.find_element(By.ID, "promise").text
        assert "tradeoff=0.01: quality 0.800, +1.0 [-1.0, +3.0] points" in promise
        assert promise.endswith("Traffic: most 80.0 %, a little 20.0 %.")
        # a candidate of 27 times the best single one's cost isn't a saving below zero
        assert (
            "27 times as much\nExpected cost against always the best single"
            in browser.find_element(By.ID, "figures").text
        )
        assert "promoted" in browser.find_element(By.ID, "history").text
        assert not browser.find_elements(By.CSS_SELECTOR, "main b b")
        width = browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        assert width <= 0
        assert [entry for entry in browser.get_log("browser") if "favicon" not in entry["message"]] == []
    finally:
        browser.quit()
        server.should_exit = True
        thread.join(30)


def test_headers_are_for_the_page_as_it_is():
    assert console.page().count("<script>") == console.page().count("<style>") == 1
