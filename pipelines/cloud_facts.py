"""What a cloud's model can make and what it costs: facts of one row of the table, no network."""

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

Region = Literal["cn", "intl", "us"]
REGIONS: tuple[Region, ...] = ("cn", "intl", "us")
CURRENCIES: dict[Region, str] = {"cn": "CNY", "intl": "USD", "us": "USD"}
HOSTS: dict[Region, str] = {
    "cn": "https://dashscope.aliyuncs.com",
    "intl": "https://dashscope-intl.aliyuncs.com",
    "us": "https://dashscope-us.aliyuncs.com",
}
"""Where each region of the service answers; a key of one is worth nothing in another."""

PROMISE = "?"
"""What stands for a task's name while its order is on the way."""

Side = Annotated[int, Field(ge=64, le=4096, multiple_of=2)]


class Money(NamedTuple):
    """An amount in a currency (ISO 4217, "USD")."""

    amount: float
    currency: str


class CloudTier(BaseModel):
    """One resolution tier ("720P"): its sizes as (width, height), and the price of a second by region."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[0-9A-Za-z]{2,8}$")
    sizes: tuple[tuple[Side, Side], ...] = Field(min_length=1, max_length=20)
    price: dict[Region, Annotated[float, Field(ge=0, le=1000)]] = Field(default_factory=dict)


class CloudFacts(BaseModel):
    """What one model of the cloud is asked with.

    model        the name that the service knows
    asks         how it is told the size: "size" in pixels, or "ratio" beside the tier (wan2.7 and later)
    durations    whole seconds it makes; one alone is its own and is not asked for
    regions      where it is offered
    max_prompt   characters; the service cuts off what is longer, so it is refused here
    rewrites     whether the service is let improve the prompt (what it made of it is kept and shown)
    one_shot     whether it has to be told to make a single shot (wan2.6)
    sound        whether its clips have sound; only their pictures are used
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,79}$")
    asks: Literal["size", "ratio"] = "size"
    durations: tuple[Annotated[int, Field(ge=1, le=60)], ...] = Field(min_length=1, max_length=60)
    tiers: tuple[CloudTier, ...] = Field(min_length=1, max_length=8)
    regions: tuple[Region, ...] = Field(default=REGIONS, min_length=1)
    max_prompt: int = Field(default=800, ge=1, le=2000)
    max_negative: int = Field(default=500, ge=1, le=2000)
    rewrites: bool = True
    one_shot: bool = False
    sound: bool = False

    def tier_of(self, width: int, height: int) -> CloudTier:
        """The tier of one of this model's sizes."""
        return next(tier for tier in self.tiers if (width, height) in tier.sizes)

    def price(self, width: int, height: int, seconds: int, region: Region | None) -> Money | None:
        """What a clip costs by the list; None where the list says nothing about the region or the size."""
        if region is None:
            return None
        tier = next((tier for tier in self.tiers if (width, height) in tier.sizes), None)
        a_second = None if tier is None else tier.price.get(region)
        return None if a_second is None else Money(a_second * seconds, CURRENCIES[region])


def is_ordered(token: str | None) -> bool:
    """Whether a job that keeps this `resume_token` has a task at the service: promised alone is not."""
    _, _, task = (token or "").partition(" ")
    return bool(task) and not task.startswith(PROMISE)


def ratio_of(width: int, height: int) -> str:
    """The service's name for a shape: 16:9, 9:16, 1:1, 4:3 or 3:4, whichever is nearest."""
    shapes = {"16:9": 16 / 9, "9:16": 9 / 16, "1:1": 1.0, "4:3": 4 / 3, "3:4": 3 / 4}
    return min(shapes, key=lambda name: abs(shapes[name] - width / height))
