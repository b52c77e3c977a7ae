"""The console: one page without anything from elsewhere; in a browser it decides and shows what was decided."""

import re
import shutil
import threading
import time

import pytest
import uvicorn
from fastapi.testclient import TestClient

from pointsman.serving import console
from pointsman.serving.app import ServingConfig, create_app

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


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_a_browser_routes_a_prompt(bundle):
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    config = uvicorn.Config(create_app(bundle, ServingConfig()), port=0, log_level="error")
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
