"""What is wrong with a text that cannot become a story."""

from pipelines.request import Notice


class TextProblem(Exception):
    """A text can't become a story; `notice` says why in words a person understands."""

    def __init__(self, notice: Notice) -> None:
        super().__init__(f"{notice.code} {notice.values}" if notice.values else notice.code)
        self.notice = notice
