"""How much, how far and how long, of weights: for the page, its route and the command line."""

from pipelines.errands import Activity
from studio import words
from studio.words import Language


def size(count: float, language: Language) -> str:
    """Bytes as people say them: "126 GB", "4.1 GB", "17 MB"; in thousands, as disks are sold."""
    for unit, one in (("GB", 1e9), ("MB", 1e6)):
        if count >= one:
            many = count / one
            return words.page(
                "model_size", language, size=f"{many:.0f}" if many >= 20 else f"{many:.1f}", unit=unit
            )
    return words.page("model_size", language, size=f"{count / 1e3:.0f}", unit="kB")


def share(activity: Activity) -> int:
    """Percent that is done, never 100 before it is."""
    return min(99, int(100 * activity.done / activity.total)) if activity.total else 0


def progress(activity: Activity, language: Language) -> str:
    """How far it is: "37 % · 4.1 of 126 GB · 12 min left"; what it waits for if nobody is at it yet."""
    if not activity.live:
        return words.page("model_again" if activity.notice is not None else "model_waits", language)
    if not activity.total:
        return words.page(f"model_begins_{activity.work}", language)
    parts = [
        words.page("model_share", language, percent=share(activity)),
        words.page(
            "model_of", language, done=size(activity.done, language), total=size(activity.total, language)
        ),
    ]
    left = activity.seconds_left
    if left is not None and activity.done < activity.total:
        parts.append(words.page("model_left", language, time=words.duration(left, language)))
    return " · ".join(parts)
