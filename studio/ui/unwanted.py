"""What must not be seen, as a reader of the page understands it: shipped negative prompts are Chinese."""

from studio.text.language import has_han
from studio.text.terms import table
from studio.ui.context import Page


def told(page: Page, text: str) -> str:
    """A negative prompt to be read: on the English page in English, as far as it is one that ships."""
    if page.language == "zh" or not has_han(text):
        return text
    english = table("unwanted")["en"]
    parts = [part.strip() for part in text.split("，") if part.strip()]
    if not any(part in english for part in parts):
        return text
    return page.t("negative_in_chinese", text=", ".join(english.get(part, part) for part in parts))
