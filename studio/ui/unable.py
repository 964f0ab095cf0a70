"""What stands on the page, before anything is pressed, where a model can't run here: why, and where to go."""

from collections.abc import Iterable
from html import escape

from pipelines.request import Notice
from studio.ui.context import Page
from studio.ui.markup import button


def told(page: Page, *notices: Notice) -> str:
    """Why something can't be made, and the door to the models where one that is not here is why."""
    return f'<p class="sorry" role="alert">{escape(page.say(*notices))}</p>{way(page, notices)}'


def way(page: Page, notices: Iterable[Notice]) -> str:
    """The door to the models; empty where something else is wrong."""
    codes = ("model_missing", "model_link_gone", "weights_", "plan_")
    about = any(notice.code.startswith(codes) for notice in notices)
    return button(page.t("to_models"), "to_models", symbol="next", look="bare") if about else ""
