"""What clips cost before they are asked for: the cloud's by its list, those of the GPU by the hour."""

from collections.abc import Iterable

from pipelines.cloud_facts import Money
from pipelines.request import GenerationRequest
from studio.settings import Settings


def clip_price(request: GenerationRequest, settings: Settings) -> Money | None:
    """What the cloud takes for a clip, by its list; None for one made here, or where no list tells.

    Behind an address of one's own it is still the list of DASHSCOPE_REGION: who is there may take less.
    """
    cloud = request.spec.cloud
    if cloud is None:
        return None
    seconds = (request.num_frames - 1) // request.fps
    return cloud.price(request.width, request.height, seconds, settings.dashscope_region or "cn")


def cloud_price(requests: Iterable[GenerationRequest], settings: Settings) -> tuple[Money | None, bool]:
    """What the cloud takes for all its clips among these together, and whether any list left one out.

    A cloud has one currency. None if none of them has a price.
    """
    found = [clip_price(request, settings) for request in requests if request.spec.cloud is not None]
    known = [price for price in found if price is not None]
    total = Money(sum(price.amount for price in known), known[0].currency) if known else None
    return total, len(known) < len(found)
