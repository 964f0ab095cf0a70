"""Work done ahead of whoever uses it: an iterator run on a thread of its own, a few items in front."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

_Item = TypeVar("_Item")
# How often a thread that waits for room looks whether anybody still wants its items.
_LOOK_SECONDS = 0.1
_END = object()


def ahead(items: Iterable[_Item], *, room: int = 2, name: str = "ahead") -> Generator[_Item, None, None]:
    """The same items in the same order, made on a thread while earlier ones are used; at most `room` wait.

    What the iterator raises is raised here, in its place. However this generator ends, also when it is closed
    half-way, the thread has ended then and the iterator is closed: it was never used by two threads at once.
    ValueError for no room.
    """
    if room < 1:
        raise ValueError("at least one item must have room")
    waiting: queue.Queue[object] = queue.Queue(room)
    unwanted = threading.Event()
    failure: list[BaseException] = []

    def put(item: object) -> bool:
        while not unwanted.is_set():
            try:
                waiting.put(item, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        source = iter(items)
        try:
            for item in source:
                if not put(item):
                    break
        except BaseException as error:
            failure.append(error)
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                close()
            put(_END)

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not _END:
            yield item  # type: ignore[misc]  # what was put in
        if failure:
            # Out of the list: an error holds the stack, and that holds what was being made.
            raise failure.pop()
    finally:
        unwanted.set()
        thread.join()
