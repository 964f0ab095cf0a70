"""What machines check here and what they don't: said in the page: nobody shall rely on what isn't there."""

from dataclasses import dataclass

from pipelines.request import Notice
from studio.settings import Settings
from studio.trust import moderation, nudity, vision
from studio.trust.frames import MOST
from studio.trust.pictures import checkers
from studio.trust.texts import CATEGORIES


@dataclass(frozen=True)
class Coverage:
    """Which categories of a picture are checked by whom, and which by nobody; `notices` says it in words."""

    checked: dict[str, tuple[str, ...]]
    unchecked: tuple[str, ...]
    notices: tuple[Notice, ...]


def coverage(settings: Settings) -> Coverage:
    """What is checked with these settings. Loads no model and asks nobody."""
    client = vision.configured(settings)
    checked: dict[str, tuple[str, ...]] = {}
    notices = []
    for checker in checkers(settings):
        if checker.name != "vision" and not nudity.installed(checker.name):
            notices.append(Notice("checker_missing", {"name": checker.name}))
            continue
        looks_for = [name for name in CATEGORIES if name in checker.categories]
        by = f"{client.model} ({client.host})" if client and checker.name == "vision" else checker.name
        notices.append(Notice("pictures_checked", {"by": by, "category": ", ".join(looks_for)}))
        for name in looks_for:
            checked[name] = (*checked.get(name, ()), checker.name)
    unchecked = tuple(name for name in CATEGORIES if name not in checked)
    if unchecked:
        notices.append(Notice("pictures_unchecked", {"category": ", ".join(unchecked)}))
    if checked:
        notices.append(Notice("pictures_sampled", {"most": MOST}))
    service = moderation.configured(settings)
    if service:
        notices.append(Notice("texts_checked", {"host": service.client.host}))
    return Coverage(checked, unchecked, tuple(notices))
