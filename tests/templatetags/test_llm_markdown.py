"""Answers of models are strangers' texts: they are shown as Markdown, and nothing of them runs or calls out."""

from __future__ import annotations

import re

import pytest

from llm_admin.templatetags.llm_markdown import LONGEST, as_html


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**bold** and *soft*", "<strong>bold</strong> and <em>soft</em>"),
        ("- one\n- two", "<li>one</li>"),
        ('```\n{"a": 1}\n```', '<pre><code>{"a": 1}\n</code></pre>'),
        ("|a|b|\n|-|-|\n|1|2|", "<td>1</td>"),
        ("# Title", '<p class="llm-markdown-title">Title</p>'),
        ("a\nb", "a<br>\nb"),
        ("[site](https://example.org)", '<a href="https://example.org" rel="noopener noreferrer nofollow">site</a>'),
        ("R&D <now>", "R&amp;D &lt;now&gt;"),
    ],
)
def test_is_shown_as_it_was_meant(text, shown):
    assert shown in as_html(text)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "![x](https://example.org/pixel.png)",
        "[x](javascript:alert(1))", "[x](data:text/html,x)", "<a href='javascript:1'>x</a>", "[x](JaVaScRiPt:alert(1))",
        "<svg/onload=alert(1)>", "<iframe src=x>", "`<b onmouseover=1>`", "[a](https://x.org \"t\" onclick=1)",
        "<https://x.org/\" onclick=\"1>", "<style>*{}</style>", "&lt;script&gt;",
    ],
)  # fmt: skip
def test_nothing_of_it_runs_or_is_loaded(text):
    html = as_html(text).lower()
    for bad in ("<script", "<img", "<svg", "<iframe", "<style", 'href="javascript', 'href="data', "<b "):
        assert bad not in html, html
    assert not re.search(r"<[^>]*\son\w+=", html)


def test_a_very_long_one_is_shown_as_it_is():
    html = as_html("**x** <b>" + "y" * LONGEST)
    assert "**x** &lt;b&gt;" in html
