"""The tab Verify as HTML: the answer, four lines with a sign each, and nobody's text as HTML."""

import re
from dataclasses import replace

from pipelines.request import Notice
from studio.tracing import Kin, TraceView
from studio.trust.telling import Line
from studio.ui import verify
from studio.ui.context import Page
from tests.ui.kit import NOW, PROMPT, asset
from tests.ui.test_stage import Tags

VALUES = {"number": PROMPT, "name": PROMPT, "text": PROMPT}
LINES = tuple(
    Line(part, sign, Notice(code, VALUES), Notice(f"trace_about_{part}"))
    for part, sign, code in (
        ("label", "good", "trace_label_seen"),
        ("metadata", "plain", "trace_metadata_others"),
        ("credentials", "bad", "trace_credentials_tampered"),
        ("fingerprint", "none", "trace_fingerprint_absent"),
    )
)  # fmt: skip
VIEW = TraceView("candidates", Notice("trace_candidates"), (Notice("trace_by_look"),), LINES, ())


def test_the_answer_stands_above_four_lines_that_explain_themselves(page: Page) -> None:
    html = verify.render(page, VIEW)
    assert html.index(page.t("verify_label")) > html.index(page.say(Notice("trace_candidates")))
    assert re.findall(r'data-part="(\w+)" data-sign="(\w+)"', html) == [
        ("label", "good"), ("metadata", "plain"), ("credentials", "bad"), ("fingerprint", "none"),
    ]  # fmt: skip
    for line in LINES:
        assert page.say(line.about).partition("“")[0][:30] in html


def test_what_a_file_says_is_text(page: Page) -> None:
    kin = Kin(asset(), True, 0.1, PROMPT, "clip", PROMPT, PROMPT, NOW)
    html = verify.render(page, replace(VIEW, kin=(kin, replace(kin, asset=None, kept=False))), name=PROMPT)
    html += verify.failed(page, Notice("trace_no_video"))
    assert all(attrs.get("src") != "x" and "onerror" not in attrs for _, attrs in Tags(html).tags)
    assert "onerror" in html


def test_look_alikes_have_stills_and_links_where_there_is_a_clip(page: Page) -> None:
    kin = Kin(asset(), True, 0.1)
    gone = Kin(None, False, None, "number-1", "film", "somebody", "job", NOW)
    tags = Tags(verify.render(page, replace(VIEW, kin=(kin, gone)))).tags
    assert [attrs["src"] for name, attrs in tags if name == "img"] == ["../media/asset_1.webp"]
    assert [attrs["href"] for name, attrs in tags if name == "a"] == ["./?job=job_1234567890ab"]
    assert page.t("verify_gone") in verify.render(page, replace(VIEW, kin=(gone,)))
