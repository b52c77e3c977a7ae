"""The task map: what the browser unpacks, how large it is, and that prompts stay text."""

import base64
import gzip
import json
import os
import re
import shutil
import subprocess
import time
from html import unescape

import numpy as np
import pytest

from components.reports.task_map import NAMED, figure, points, write_map

EVIL = "<script>alert('x')</script><a href='javascript:1'>&"


def world(prompts=400, tasks=40, seed=0):
    rng = np.random.default_rng(seed)
    # Task t gets about twice the share of task t + 20: an order of sizes that the map must find.
    task = rng.choice(tasks, prompts, p=np.linspace(2, 1, tasks) / np.linspace(2, 1, tasks).sum())
    centre = rng.normal(size=(tasks, 2)) * 9
    label = [f"task <{t}>" if t else "unassigned" for t in task]
    where = points(
        (centre[task] + rng.normal(size=(prompts, 2))).astype(np.float32), label, [EVIL + "z" * 300] * prompts
    )
    about = [
        {"label": name, "size": label.count(name), "best": "openai/<b>", "quality": 0.71234}
        for name in sorted(set(label) - {"unassigned"})
    ]
    return where, about


def unpacked(page, name):
    packed = re.search(f"id='{name}'>([^<]+)<", page).group(1)
    return gzip.decompress(base64.b64decode(packed)).decode()


def test_every_prompt_is_drawn_once_in_its_tasks_colour():
    where, about = world()
    traces = figure(where, about).data
    drawn = np.concatenate([np.column_stack([trace.x, trace.y]) for trace in traces])
    expected = np.column_stack([where["x"], where["y"]]).astype(np.float32)
    np.testing.assert_array_equal(drawn[np.lexsort(drawn.T)], expected[np.lexsort(expected.T)])
    names = [unescape(trace.name) for trace in traces]
    assert names[0] == f"unassigned ({where['label'].count('unassigned')})"
    assert names[1] == f"{len(about) - NAMED} smaller tasks"
    assert len(names) == NAMED + 2
    sizes = {f"{one['label']} ({one['size']})": one["size"] for one in about}
    assert sorted((sizes[name] for name in names[2:]), reverse=True) == [sizes[name] for name in names[2:]]
    assert min(sizes[name] for name in names[2:]) >= max(v for k, v in sizes.items() if k not in names)
    assert len({trace.marker.color for trace in traces[2:22]}) == 20


def test_the_hover_says_label_size_best_candidate_and_the_prompts_start():
    where, about = world()
    trace = figure(where, about).data[2]
    task = next(one for one in about if trace.name.startswith(one["label"].replace("<", "&lt;").replace(">", "&gt;")))
    text = trace.text[0]
    assert f"{task['size']} prompts, best: openai/&lt;b&gt; (0.712)" in text
    assert text.startswith(f"<b>{task['label'].replace('<', '&lt;').replace('>', '&gt;')}</b><br>")
    prompt = unescape("".join(text.split("<br>")[2:]))
    assert prompt == (EVIL + "z" * 300)[:160] + "…"


def test_nothing_from_the_logs_is_markup_but_our_own_breaks():
    for trace in figure(*world()).data:
        for text in trace.text:
            assert set(re.findall(r"<[^>]*>", text)) <= {"<b>", "</b>", "<br>"}
        assert "<" not in trace.name
    assert all("<" not in one.text for one in figure(*world()).layout.annotations)


def test_labels_never_lie_on_each_other():
    where, about = world(prompts=2000, tasks=300)
    shown = figure(where, about).layout.annotations
    assert 3 <= len(shown) <= NAMED
    width, height = np.ptp(where["x"]), np.ptp(where["y"])
    for n, one in enumerate(shown):
        for other in shown[:n]:
            apart = abs(one.x - other.x) / width > 0.0035 * (len("task <1>") * 2 - 2)
            assert apart or abs(one.y - other.y) / height >= 0.032


def test_ten_thousand_prompts_and_plotly_fit_in_five_megabytes_and_load_nothing(tmp_path):
    where, about = world(prompts=10_000, tasks=300)
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz      "))
    where["text"] = ["".join(row) for row in letters[rng.integers(0, 32, (10_000, 160))]]  # hard to compress
    write_map(where, about, tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 5_000_000
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=", page)
    assert "Plotly" in unpacked(page, "library")
    drawn = json.loads(unpacked(page, "figure"))
    assert sum(len(trace["text"]) for trace in drawn["data"]) == 10_000
    assert drawn["layout"]["title"]["text"] == f"Task map: {len(about)} tasks, 10000 prompts"


def test_the_same_figures_give_the_same_page(tmp_path):
    for name in ("one", "two"):
        write_map(*world(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_all_prompts_unassigned_is_a_grey_map():
    where = points(np.eye(2, dtype=np.float32), ["unassigned"] * 2, ["a", "b"])
    (trace,) = figure(where, []).data
    assert trace.name == "unassigned (2)"
    assert trace.text[0] == "<b>unassigned</b><br>a"


@pytest.mark.browser
@pytest.mark.slow
def test_a_browser_unpacks_and_draws_it(tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("skipped: no chromium")
    write_map(*world(), tmp_path / "map.html")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=40000", "--dump-dom"]
    command = [browser, *options, f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "map.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    assert "Task map: 39 tasks, 400 prompts" in done.stdout
    assert 'id="wait"' not in done.stdout


GROUND = """
const rects = [...document.querySelectorAll("#map svg.main-svg")].map(svg => svg.style.background);
return [getComputedStyle(document.body).backgroundColor, rects[0], document.querySelector(".gtitle").style.fill,
  document.querySelectorAll("#map .legend .traces").length];
"""


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("scheme", "ground", "ink"), [("light", 255, 29), ("dark", 24, 230)])
@pytest.mark.parametrize(("width", "entries"), [(1600, NAMED + 2), (420, 0)])
def test_it_follows_scheme_and_width(tmp_path, scheme, ground, ink, width, entries):
    webdriver = pytest.importorskip("selenium.webdriver", reason="skipped: no selenium")
    browser, server = shutil.which("chromium"), shutil.which("chromedriver")
    if not (browser and server):
        pytest.skip("skipped: no chromium")
    write_map(*world(), tmp_path / "map.html")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(server))
    try:
        size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        wanted = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", wanted)
        driver.get((tmp_path / "map.html").as_uri())
        deadline = time.monotonic() + 120
        while not driver.execute_script("return document.body.dataset.drawn"):
            assert time.monotonic() < deadline, "never drawn"
            time.sleep(0.2)
        page, map_, title, legend = driver.execute_script(GROUND)
        if folder := os.environ.get("POINTSMAN_SCREENSHOTS"):
            driver.save_screenshot(f"{folder}/map-{scheme}-{width}.png")
    finally:
        driver.quit()
    assert [int(one.split("(")[1].split(",")[0]) for one in (page, map_, title)] == [ground, ground, ink]
    assert legend == entries
