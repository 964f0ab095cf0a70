"""Where new clips are kept: a quiet choice of project, remembered by the browser (library.js)."""

from html import escape

from studio.access import Visitor
from studio.ui.context import Page
from studio.ui.markup import attributes, icon


def choices(page: Page, visitor: Visitor) -> list[tuple[str, str]]:
    """The projects there are by id and name, none of them first; empty while there is none."""
    found = [(project.id, project.name) for project in page.studio.projects.list(visitor)]
    return [("", page.t("project_none")), *found] if found else []


def render(page: Page, visitor: Visitor) -> str:
    """The choice as it stands in a form; nothing while there are no projects."""
    found = choices(page, visitor)
    if not found:
        return ""
    options = "".join(f"<option{attributes(value=key)}>{escape(name)}</option>" for key, name in found)
    named = attributes(data_project_choice=True, aria_label=page.t("project_for"))
    return f'<label class="filing">{icon("folder")}<select{named}>{options}</select></label>'
