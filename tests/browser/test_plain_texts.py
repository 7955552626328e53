"""Somebody else's text in everything that reads Markdown, in a real browser: seen as it was typed, and nothing but text."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, expect

from desk.settings import PROJECT
from tests.support.programs import free_port, until

pytestmark = pytest.mark.browser

TEXTS = (
    "www.evil-phish.com http://evil.test/login a@evil.com",
    "HTTPS://evil.test/ WWW.evil.test A@b.co, mailto:a@b.co xmpp:a@b.c/d ftp://x.y",
    "Пётр, www.сайт.рф http://сайт.рф почта@сайт.рф a+b@c-d.e.f _a@b.co",
    "&lt;b&gt; &amp; & &#60; http:&#47;&#47;evil.test",
    "![](http://evil.test/a.png) [x](http://evil.test) <http://evil.test>",
    "[x]: http://evil.test",
    "[^1] [^1]: foot",
    ":smile: :100: :material/home: :red[x] :streamlit: :red-badge[x] :::note",
    "$x^2$ $$y$$ \\(z\\) \\[q\\]",
    "a -> b <- c -- d >= e <= f <-> g ~= h",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "# head",
    "1. one",
    "1) one",
    "- item",
    "+ item",
    "> quote",
    "    code",
    "`code` ```js",
    "~~x~~ ~y~ ==mark== ++ins++",
    "| a | b |",
    "---",
    "===",
    "a\\*b \\",
    "x__y__ *z* _q_ **w**",
    "tel:+7999 sms:1 data:text/html,x javascript:alert(1)",
    "10:30:45 +7 (999) 123-45-67 «ёлки» 100 % №5",
    "https:\u2060//evil.test www\u200b.evil.test",
    "{x} {{y}} %7B \"q\" 'q' user@localhost @all #tag",
)

LOOK = """([place, text]) => {
  const around = document.querySelector('.st-key-text-' + place)
  const read = s => s.replace(/[\\u2060]/g, '').split(/\\s+/).filter(Boolean).join(' ')
  const found = []
  for (const one of around.querySelectorAll('a')) if (!one.href.endsWith('/own')) found.push('a link: ' + one.href)
  for (const one of around.querySelectorAll('.katex, img, script, em, del, code, ul, ol, h1, hr, mark, iframe, blockquote blockquote'))
    found.push('an element: ' + one.outerHTML.slice(0, 80))
  const shown = around.querySelectorAll('[data-testid=stMarkdownContainer], p, td, th, h3')
  for (const one of shown) {
    const told = read(one.innerText)
    if (told !== read(text) && told !== read(text + ' ' + text)) found.push('another text: ' + told)
  }
  if (shown.length < 20) found.push('too few: ' + shown.length)
  return [...new Set(found)]
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "tests/browser/plain_texts_app.py", "--server.port", str(port)]
    environ = {name: text for name, text in os.environ.items() if not name.startswith("STREAMLIT_")}
    with (tmp_path_factory.mktemp("plain") / "log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=PROJECT, env={**environ, "PYTHONPATH": str(PROJECT)}, stdout=log, stderr=log
        )
    url = f"http://localhost:{port}"
    try:
        until(lambda: _answers(url), "the page", 60)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/_stcore/health", timeout=2).ok
    except requests.RequestException:
        return False


def test_every_text_is_seen_as_it_was_typed(page: Page, address: str):
    """No link, picture, formula, icon, list or script comes of any text in any element, and every letter is there."""
    foreign = []
    page.on("request", lambda one: foreign.append(one.url) if address.split("//")[1] not in one.url else None)
    page.goto(address)
    expect(page.locator(f".st-key-text-{len(TEXTS) - 1}").locator("td").last).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    wrong = {text: found for place, text in enumerate(TEXTS) if (found := page.evaluate(LOOK, [place, text]))}
    assert wrong == {}
    assert [url for url in foreign if not url.startswith(("data:", "blob:"))] == []
