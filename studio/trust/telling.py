"""A traced video in words: one line for each of label, metadata, credentials, fingerprint, and the answer."""

from dataclasses import dataclass
from typing import Literal

from pipelines.request import Notice
from studio.trust.credentials import Credentials
from studio.trust.trace import FingerprintFound, MetadataFound, Traced
from studio.trust.visible import Seen

Sign = Literal["good", "plain", "warn", "bad", "none"]
"""How a line is marked: as it should be, told by others, doubtful, wrong, nothing there."""
Part = Literal["label", "metadata", "credentials", "fingerprint"]


@dataclass(frozen=True)
class Line:
    """What was found of one part; `about` says in a sentence what that part is."""

    part: Part
    sign: Sign
    notice: Notice
    about: Notice


def lines(traced: Traced) -> tuple[Line, ...]:
    """The four lines, each of what anybody who holds the file may know."""
    told: dict[Part, tuple[Sign, Notice]] = {
        "label": _label(traced.label),
        "metadata": _metadata(traced.metadata),
        "credentials": _credentials(traced.credentials),
        "fingerprint": _fingerprint(traced.fingerprint),
    }
    return tuple(
        Line(part, sign, notice, Notice(f"trace_about_{part}")) for part, (sign, notice) in told.items()
    )


def answer(traced: Traced) -> Notice:
    """Whether it was made here, in one sentence."""
    gone = traced.answer == "certain" and not traced.named[0].kept
    return Notice("trace_certain_gone" if gone else f"trace_{traced.answer}")


def because(traced: Traced) -> tuple[Notice, ...]:
    """What speaks for that, the best first; what it does not mean if nothing does."""
    if traced.answer == "none":
        return (Notice("trace_none_means"),)
    found = dict.fromkeys(witness for one in traced.named for witness in one.by)
    return tuple(Notice(f"trace_by_{witness}") for witness in found)


def _label(seen: Seen | None) -> tuple[Sign, Notice]:
    if seen is None:
        return "none", Notice("trace_label_absent")
    return "good", Notice("trace_label_seen", {"text": seen.style.text})


def _metadata(found: MetadataFound) -> tuple[Sign, Notice]:
    told = Notice(f"trace_metadata_{found.state}")
    if found.aigc is not None:
        told = Notice(told.code, {"number": found.aigc.ProduceID, "name": found.aigc.ContentProducer})
    signs: dict[str, Sign] = {"ours": "good", "others": "plain", "absent": "none"}
    return signs.get(found.state, "bad"), told


def _credentials(found: Credentials) -> tuple[Sign, Notice]:
    values = {"name": found.issuer or "?", "date": found.made[:10] or "?"}
    signs: dict[str, Sign] = {"tampered": "bad", "absent": "none", "unreadable": "none", "expired": "warn"}
    if found.state in signs:
        return signs[found.state], Notice(f"trace_credentials_{found.state}", values)
    if found.ours:
        trusted = found.state == "valid"
        return "good", Notice("trace_credentials_ours" if trusted else "trace_credentials_own", values)
    return "plain", Notice("trace_credentials_others", values)


def _fingerprint(found: FingerprintFound) -> tuple[Sign, Notice]:
    signs: dict[str, Sign] = {"known": "good", "unknown": "warn", "absent": "none"}
    return signs[found.state], Notice(f"trace_fingerprint_{found.state}")
