"""Pages as Chromium draws them: nothing clipped or overlapping, readable in both schemes, and no script but ours."""

import shutil

import pytest

from tests.fixtures.pages import write_all

webdriver = pytest.importorskip("selenium.webdriver", reason="skipped: no selenium")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="skipped: needs Debian's chromium and chromium-driver"),
]
PAGES = ("report", "validation", "quarantine", "compare", "extrapolation", "drift", "empty")
CLIPPED = """
const width = document.documentElement.clientWidth, found = [];
if (document.documentElement.scrollWidth > width) found.push("the page scrolls sideways");
for (const one of document.querySelectorAll("body *")) {
  const box = one.getBoundingClientRect();
  if (box.width && (box.right > width + 1 || box.left < -1) && !one.closest(".scroll"))
    found.push(`${one.tagName} ${one.className} ${one.textContent.slice(0, 40)}`);
}
for (const box of document.querySelectorAll(".scroll"))
  if (getComputedStyle(box).overflowX !== "auto") found.push("a box that doesn't scroll");
return found;
"""
OVERLAPPING = """
const found = [];
for (const svg of document.querySelectorAll("svg")) {
  const boxes = [...svg.querySelectorAll("g[id^=text_]")].map(one => one.getBoundingClientRect()).filter(b => b.width);
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach(b => {
    const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (x > 1 && y > 1) found.push([svg.closest("figure").innerText, a.left, a.top, b.left, b.top].join(" "));
  }));
  const view = svg.getBoundingClientRect();
  for (const box of boxes)
    if (Math.max(box.right - view.right, view.left - box.left, box.bottom - view.bottom, view.top - box.top) > 1)
      found.push("a label is cut: " + svg.closest("figure").innerText);
}
return found;
"""
FAINT = """
const rgb = text => text.match(/[0-9.]+/g).map(Number);
const light = colour => rgb(colour).slice(0, 3).map(c => c / 255)
  .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
const ground = one => {
  for (; one; one = one.parentElement) {
    const colour = rgb(getComputedStyle(one).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return getComputedStyle(one).backgroundColor;
  }
};
const found = [], seen = new Set();
const look = (one, colour, text) => {
  const [high, low] = [light(colour), light(ground(one))].sort((a, b) => b - a);
  seen.add(colour);
  if ((high + 0.05) / (low + 0.05) < 4.5) found.push(`${text} ${colour} on ${ground(one)}`);
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const one = texts.currentNode.parentElement;
  if (texts.currentNode.data.trim() && one.getBoundingClientRect().width && one.tagName !== "SCRIPT")
    look(one, getComputedStyle(one).color, texts.currentNode.data.slice(0, 40));
}
for (const glyph of document.querySelectorAll("svg g[id^=text_] use"))
  look(glyph, getComputedStyle(glyph).fill, "a label of a figure");
return seen.size > 1 ? found : ["nothing to look at"];
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def driver():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(params=[1600, 420])
def width(request):
    return request.param


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


@pytest.mark.parametrize("name", PAGES)
def test_every_page_can_be_read(driver, pages, name, width, scheme):
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wanted = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", wanted)
    driver.get(pages[name].as_uri())
    driver.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    assert driver.execute_script(CLIPPED) == []
    assert driver.execute_script(OVERLAPPING) == []
    assert driver.execute_script(FAINT) == []
    assert "owned" not in driver.title
    assert [line["message"] for line in driver.get_log("browser")] == []
    for figure in driver.execute_script(
        "return [...document.querySelectorAll('svg')].map(s => s.closest('[role=img]'))"
    ):
        assert figure.get_attribute("aria-label")


def test_the_slider_shows_another_policy_and_its_money(driver, pages):
    driver.get(pages["report"].as_uri())

    def shown():
        return driver.execute_script(
            "return [...document.querySelectorAll('.whatif .panel')].filter(p => !p.hidden).map(p => p.innerText)"
        )

    (first,) = shown()
    assert "(the operating policy)" in first
    assert "$840 a month, $1,260 less" in first
    driver.execute_script(
        "const s = document.getElementById('policy'); s.value = 0; s.dispatchEvent(new Event('input'));"
        "const r = document.getElementById('requests'); r.value = 1000000; r.dispatchEvent(new Event('input'))"
    )
    (least,) = shown()
    assert "$100 a month, $150 less" in least
    assert driver.execute_script("return document.querySelector('#whatif-0').classList.contains('on')")
    assert driver.execute_script("return getComputedStyle(document.querySelector('#whatif-1')).opacity") == "0"
