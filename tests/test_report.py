"""The report of a real, tiny run: the same bytes twice, and a page that a real browser shows whole, on any width."""

from collections.abc import Iterator
import json
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
from typing import Any
from urllib.parse import unquote

from msgspec.structs import asdict
import pandas as pd
import pytest
import yaml

from stages.core.params import round_entry
from stages.reporting.inputs import DIFFERENCES
from tests.chain import ROOT

# One worker: the run and its page are made once.
pytestmark = pytest.mark.xdist_group("report")

WIDTHS = (400, 1280)  # [px] a phone and a desk
LIMIT = 1_500_000  # [bytes] of the page
TINY = {
    "distance": {"evaluate": 8, "practice": 8, "demonstrate": 0, "steps": 40},
    "kuka_reach": {"evaluate": 4, "practice": 4, "demonstrate": 8, "steps": 60},
}


def stage(folder: Path, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a stage, as a user would, in `folder`."""
    command = [sys.executable, "-m", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert not check or done.returncode == 0, done.stderr
    return done


def write_params(folder: Path) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["tasks"] = list(TINY)
    params["rounds"] = [asdict(round_entry(number)) for number in range(2)]
    params["compute"]["jobs"] = 1
    for task, sizes in TINY.items():
        params["demonstrate"][task]["episodes"] = sizes["demonstrate"]
        for section in ("evaluate", "practice"):
            params[section][task] = {"episodes": sizes[section], "max_steps": sizes["steps"]}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def run_chain(folder: Path, task: str) -> None:
    data, shown = Path("data", task), Path("data", task, "demonstrations")
    recordings = ROOT / "data/recordings" / task
    stage(folder, "stages.demonstrate", task, "--recordings", recordings, "--output", shown)
    rows, more = shown / "steps.parquet", shown / "episodes.parquet"
    for name in ("round_0", "round_1"):
        here = data / name
        stage(folder, "stages.build", task, rows, more, "--output", here / "dataset.parquet")
        fitted = ("--policy", here / "policy.npz", "--metrics", here / "training.json")
        stage(folder, "stages.train", task, here / "dataset.parquet", *fitted)
        known = ("--demonstrations", shown, "--output")
        stage(folder, "stages.evaluate", task, here / "policy.npz", *known, here / "evaluation")
        rows, more = here / "dataset.parquet", here / "corrections.parquet"
        if name == "round_0":
            stage(folder, "stages.practice", task, name, here / "policy.npz", *known, here / "practice")
            asked = (here / "practice", "--recordings", recordings, *known, more)
            stage(folder, "stages.correct", task, name, *asked)


def report(folder: Path, out: str, check: bool = True, **other: object) -> subprocess.CompletedProcess[str]:
    paths = {
        "results": "reports/results.csv",
        "metrics": "reports/metrics.json",
        "plots": "reports/plots",
        "studies": "studies",
        "alarm": str(ROOT / "reports/alarm"),
        "page": f"{out}/index.html",
        "summary": f"{out}/summary.md",
    }
    options = [part for name, path in {**paths, **other}.items() for part in (f"--{name}", path)]
    return stage(folder, "stages.report", "data", *options, check=check)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, a study and its report in `reports/`."""
    folder = tmp_path_factory.mktemp("report")
    write_params(folder)
    for task in TINY:
        run_chain(folder, task)
    outputs = ("--results", "reports/results.csv", "--metrics", "reports/metrics.json", "--plots", "reports/plots")
    stage(folder, "stages.measure", "data", *outputs)
    (folder / "studies").mkdir()
    (folder / "studies/steps.yaml").write_text("question: Are few steps <enough>?\nplot: added\nvariants: {few: {}}\n")
    table = pd.read_csv(folder / "reports/results.csv").assign(variant="few", **dict.fromkeys(DIFFERENCES))
    table[table["task"] == "kuka_reach"].to_csv(folder / "studies/steps.csv", index=False)
    report(folder, "reports")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium that writes down what it requests and what goes wrong."""
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in programs:
        reason = "no Chromium with its driver (Debian: apt-get install chromium chromium-driver)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = str(programs[0])
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=ChromeService(str(programs[1])))
    yield driver
    driver.quit()


def show(browser: Any, page: Path, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(page.as_uri())


def keys(folder: Path) -> list[tuple[str, str, str]]:
    results = pd.read_csv(folder / "reports/results.csv").astype(str)
    return list(results[["task", "round", "condition"]].itertuples(index=False, name=None))


def test_the_same_data_give_the_same_bytes(made: Path) -> None:
    report(made, "again")
    for name in ("index.html", "summary.md"):
        assert (made / "again" / name).read_bytes() == (made / "reports" / name).read_bytes()


def test_the_page_is_small_and_loads_nothing(made: Path) -> None:
    page = (made / "reports/index.html").read_text()
    assert len(page.encode()) < LIMIT
    page = unquote(page)  # what the charts hold is looked at as well
    linked = re.findall(r"""(?:src|href|xlink:href)\s*=\s*["']([^"']*)""", page)
    # README.md lies beside it, for whoever wants to read on.
    assert {link for link in linked if not link.startswith(("data:", "#"))} == {"README.md"}
    assert not re.search(r"<script|@import|url\((?!#)", page)


def test_the_summary_has_a_verdict_a_task_and_a_row_a_condition(made: Path) -> None:
    summary = (made / "reports/summary.md").read_text()
    for task in TINY:
        assert re.search(rf"^- \*\*{task}\*\*: From [\d,]+ steps of demonstration", summary, re.MULTILINE)
    for key in keys(made):
        assert summary.count(f"| {' | '.join(key)} | ") == 1


def test_the_page_and_the_summary_lead_with_verdicts(made: Path) -> None:
    page, summary = ((made / "reports" / name).read_text() for name in ("index.html", "summary.md"))
    for text in (page, summary):
        assert text.index("From the first round to the last: of 10 conditions") < text.index("Round 0 to 1: ")
    assert page.index("Round 0 to 1: ") < page.index("<table")
    assert summary.index("Round 0 to 1: ") < summary.index("| ---")


def test_the_worst_episode_of_the_arm_is_explained(made: Path) -> None:
    """As `python -m stages.explain` explains that step."""
    page = (made / "reports/index.html").read_text()
    assert page.count("Where the worst episode went wrong</h3>") == 1
    told = re.search(
        r"Round (\d), condition (\w+), episode (\d+): .* Step (\d+), .* novelty was ([\d.e+]+) times", page
    )
    assert told is not None
    number, condition, episode, step, ratio = told.groups()
    where = (f"data/kuka_reach/round_{number}", "--episode", episode, "--step", step, "--json")
    found = json.loads(stage(made, "stages.explain", *where).stdout)
    assert found["episode"]["condition"] == condition
    assert f"{found['novelty'] / found['threshold']:.2g}" == ratio
    assert f"made of {len(found['rows'])} known moments" in page


@pytest.mark.parametrize("width", WIDTHS)
def test_a_browser_shows_every_picture_and_nothing_sticks_out(made: Path, browser: Any, width: int) -> None:
    show(browser, made / "reports/index.html", width)
    images = browser.execute_script("return [...document.images].map(i => [i.naturalWidth, i.alt, i.complete])")
    assert len(images) > 20
    assert [image for image in images if not (image[0] > 0 and image[1] and image[2])] == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    # Wider than the screen may only be what scrolls by itself.
    outside = """return [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .contents')
      && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""
    assert browser.execute_script(outside) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_contents_lead_everywhere_from_everywhere(made: Path, browser: Any, width: int) -> None:
    show(browser, made / "reports/index.html", width)
    wanted = ["top", "chain", *TINY, "studies", "table"]
    links = "return [...document.querySelectorAll('.contents a')].map(a => a.getAttribute('href'))"
    assert browser.execute_script(links) == [f"#{one}" for one in wanted]
    top = "return document.querySelector(arguments[0]).getBoundingClientRect().top"
    browser.execute_script("document.documentElement.style.scrollBehavior = 'auto'")
    for one in wanted[1:-1]:
        browser.execute_script("location.hash = arguments[0]", one)
        assert browser.execute_script(top, ".contents") == 0
        assert 0 < browser.execute_script(top, f"#{one} h2") < 100  # [px] below the contents


def test_every_link_leads_somewhere_and_every_part_of_a_task_has_one(made: Path, browser: Any) -> None:
    show(browser, made / "reports/index.html", WIDTHS[1])
    ids = browser.execute_script("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    links = browser.execute_script("return [...document.links].map(a => a.getAttribute('href'))")
    assert len(set(ids)) == len(ids)
    assert {link.removeprefix("#") for link in links} <= {*ids, "README.md"}  # which lies beside the page in reports/
    for task in TINY:
        parts = browser.execute_script(f"return [...document.querySelectorAll('#{task} h3')].map(e => '#' + e.id)")
        listed = f"return [...document.querySelectorAll('#{task} .within a')].map(a => a.getAttribute('href'))"
        assert browser.execute_script(listed) == parts
        assert len(parts) > 5


def test_a_browser_requests_nothing_and_complains_of_nothing(made: Path, browser: Any) -> None:
    show(browser, made / "reports/index.html", WIDTHS[1])
    assert browser.get_log("browser") == []
    requested = re.findall(r'"url":"(\w+):', " ".join(entry["message"] for entry in browser.get_log("performance")))
    assert set(requested) <= {"file", "data", "about"}


def test_the_table_holds_every_task_round_and_condition(made: Path, browser: Any) -> None:
    show(browser, made / "reports/index.html", WIDTHS[1])
    cells = "return [...document.querySelectorAll('#table tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
    rows = browser.execute_script(cells)
    assert [tuple(row[:3]) for row in rows] == keys(made)
    studies = browser.find_element("id", "studies")
    assert "Are few steps <enough>?" in studies.text
    cells = "return [...document.querySelectorAll('#studies .heat tr')].map(r => [...r.cells].map(c => c.textContent))"
    head, few = browser.execute_script(cells)
    assert head == ["variant", "shown", "far", "start", "noisy", "real"]
    assert few[0] == "few"
    assert all(re.fullmatch(r"\d+ → \d+ %", cell) for cell in few[1:])
    drawn = [image.get_attribute("alt") for image in studies.find_elements("tag name", "img")]
    conditions = ("all conditions", "shown", "far", "start", "noisy", "real")
    assert [alt.split(";")[0] for alt in drawn] == [f"Success over expert steps, {name}" for name in conditions]


@pytest.mark.parametrize(
    ("option", "content", "message"),
    [
        ("results", None, "no such file"),
        ("results", "", "not what was written with reports/plots/SHA256SUMS"),
        ("metrics", None, "no such file"),
        ("metrics", '{"kuka_reach": {}}', "not what was written with reports/plots/SHA256SUMS"),
    ],
)
def test_what_does_not_belong_is_one_line_and_leaves_the_page(
    made: Path, option: str, content: str | None, message: str
) -> None:
    before = (made / "reports/index.html").read_bytes()
    other = made / f"other.{option}"
    other.unlink(missing_ok=True)
    if content is not None:
        other.write_text(content)
    done = report(made, "reports", check=False, **{option: other})
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"{other}: " in done.stderr
    assert message in done.stderr
    assert (made / "reports/index.html").read_bytes() == before


def test_results_of_another_run_are_noticed(made: Path) -> None:
    table = pd.read_csv(made / "reports/results.csv")
    table.assign(episodes=table["episodes"] + 1).to_csv(made / "foreign.csv", index=False)
    done = report(made, "reports", check=False, results="foreign.csv")
    assert done.returncode == 2
    assert "of another run" in done.stderr
