"""Where traditional Chinese enters the rules: they read its simplified form, people get back their own."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import BaseModel

from pipelines.simplified import simplified

__all__ = ["Own", "each", "simplified"]

Model = TypeVar("Model", bound=BaseModel)


class Own:
    """Gives what rules found in the simplified form of some texts back as it is written in them.

    The texts that come first count first.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        pairs = [(simplified(text), text) for text in dict.fromkeys(texts)]
        self.differs = any(plain != own for plain, own in pairs)
        """Whether any of the texts holds traditional characters."""
        self._pairs = pairs if self.differs else []
        self._chars: dict[int, str] = {}
        for plain, own in self._pairs:
            for one, other in zip(plain, own, strict=True):
                if one != other:
                    self._chars.setdefault(ord(one), other)

    def __call__(self, phrase: str) -> str:
        """The phrase in the texts' own characters; one that stands in none is put together from them."""
        for plain, own in self._pairs:
            if (at := plain.find(phrase)) >= 0:
                return own[at : at + len(phrase)]
        return phrase.translate(self._chars)


def each(model: Model, change: Callable[[str], str]) -> Model:
    """The model with `change` done to all its texts, also to those in its lists."""
    changed: dict[str, str | tuple[object, ...]] = {}
    for name, value in model:
        if isinstance(value, str):
            changed[name] = change(value)
        elif isinstance(value, tuple):
            changed[name] = tuple(change(one) if isinstance(one, str) else one for one in value)
    return model.model_copy(update=changed)
