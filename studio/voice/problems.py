"""What is wrong when a text can't be spoken."""

from typing import Any

from pipelines.request import Notice


class VoiceError(Exception):
    """A text can't be spoken; `notice` says why in words a person understands."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(f"{code} {values}" if values else code)
        self.notice = Notice(code, values)
