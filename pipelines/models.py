"""What each model is: one table of facts, never an `if` on a name. No torch here: the page reads this too."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from pipelines import shapes
from pipelines.cloud_facts import CloudFacts
from pipelines.shapes import Shape

Quality = Literal["draft", "standard", "final"]
QUALITIES: tuple[Quality, ...] = ("draft", "standard", "final")
# How a model is run: exact as its makers do; balanced with guidance gating and a step cache; fast with its
# 4-step distilled LoRA pair; draft small, with few steps.
Tier = Literal["exact", "balanced", "fast", "draft"]
TIERS: tuple[Tier, ...] = ("exact", "balanced", "fast", "draft")


class Size(NamedTuple):
    """Width and height of a frame in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}×{self.height}"


class Sampling(BaseModel):
    """How one quality of one model denoises; every value may be overridden in a request."""

    model_config = ConfigDict(frozen=True)

    num_inference_steps: int
    guidance_scale: float
    guidance_scale_2: float | None
    flow_shift: float


class Distilled(BaseModel):
    """A LoRA pair that makes a model right in a few steps without guidance.

    `repo` and `revision` are the hub's, `high` and `low` the files in it (`low` is None for one expert);
    `timesteps` are the very ones it was distilled on, from 1000 down (Wan2.2-Lightning, issue 3).
    """

    model_config = ConfigDict(frozen=True)

    name: str
    repo: str
    revision: str | None
    high: str
    low: str | None
    timesteps: tuple[float, ...]
    flow_shift: float


class ModelSpec(BaseModel):
    """The facts about one set of weights.

    `repo` is a Hugging Face repository id, or a folder relative to this repository when `embedded`;
    `revision` is the hub's commit, or what `loader.revision` says of the embedded files.
    `guidance_scale` belongs to the high-noise expert, `guidance_scale_2` to the low-noise one.
    `closed_world`: it draws only the things of `pipelines.sketch.world`, and is given only their words.
    `first_frame`: whether a picture to begin with can be given, or must be.
    `tiers` are the ways to run it; the first is what runs when none is asked for. `distilled` is what "fast"
    runs with.
    `memory_gb` is the bf16 weights of all parts together (fp32 for `sketch`, which runs on the CPU).
    `shape` is what its parts weigh, for the memory plan; None for what does not run here.
    `cloud`: it runs elsewhere, has no weights here and is paid by the second.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    repo: str
    revision: str | None
    embedded: bool
    licence: str
    sizes: tuple[Size, ...]
    fps: int
    min_frames: int
    max_frames: int
    default_frames: int
    max_sequence_length: int
    two_experts: bool
    memory_gb: float
    negative_prompt: str
    closed_world: bool = False
    first_frame: Literal["no", "optional", "needed"] = "no"
    tiers: tuple[Tier, ...] = ("exact",)
    distilled: Distilled | None = None
    sampling: dict[Quality, Sampling]
    cloud: CloudFacts | None = None
    shape: Shape | None = None

    def sampling_for(self, quality: Quality, tier: Tier) -> Sampling:
        """How a clip of this quality is denoised in this tier."""
        if tier == "fast" and self.distilled is not None:
            return Sampling(
                num_inference_steps=len(self.distilled.timesteps),
                guidance_scale=1.0,
                guidance_scale_2=1.0 if self.two_experts else None,
                flow_shift=self.distilled.flow_shift,
            )
        return self.sampling["draft" if tier == "draft" else quality]

    @property
    def smallest(self) -> Size:
        """The size with the fewest pixels, the first of equals: what a draft is made in."""
        return min(self.sizes, key=lambda size: size.width * size.height)

    def legal_frames(self) -> list[int]:
        """Every frame count this model makes well: 4n+1 from `min_frames` to `max_frames`.

        A cloud's lengths are its own list of whole seconds; the first frame counts as time 0 there too.
        """
        if self.cloud is not None:
            return sorted(seconds * self.fps + 1 for seconds in self.cloud.durations)
        return list(range(self.min_frames, self.max_frames + 1, 4))

    def frames_for(self, seconds: float) -> int:
        """The legal frame count nearest to a length in seconds (the first frame counts as time 0)."""
        return min(self.legal_frames(), key=lambda frames: abs((frames - 1) / self.fps - seconds))


# Wan's own default negative prompt (Wan2.2 `shared_config.py`, sample_neg_prompt).
_WAN_NEGATIVE = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，"
    "JPEG压缩残留，丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，"
    "手指融合，静止不动的画面，杂乱的背景，三条腿，背景人很多，倒着走"
)


def _steps(
    draft: int, standard: int, final: int, *, high: float, low: float | None, shift: float
) -> dict[Quality, Sampling]:
    counts: dict[Quality, int] = {"draft": draft, "standard": standard, "final": final}
    return {
        quality: Sampling(num_inference_steps=n, guidance_scale=high, guidance_scale_2=low, flow_shift=shift)
        for quality, n in counts.items()
    }


def one_sampling() -> dict[Quality, Sampling]:
    """The same for every quality, for a model that tells nobody how it denoises."""
    return _steps(1, 1, 1, high=1.0, low=None, shift=1.0)


def learn(specs: Mapping[str, ModelSpec]) -> None:
    """Let `MODELS` hold these too, in place of what it had by their names."""
    _models.learn(specs)


_WAN_SIZES = (
    Size(832, 480), Size(480, 832), Size(624, 624), Size(1280, 720), Size(720, 1280), Size(960, 960),
)  # fmt: skip
# The distilled pairs were taught four steps of plain Euler at shift 5: 1000 * shift*s / (1 + (shift-1)*s).
_FOUR_STEPS = (1000.0, 937.5, 2500 / 3, 625.0)

_SPECS = (
    ModelSpec(
        name="sketch",
        title="Sketch",
        repo="assets/models/sketch",
        revision="ca651a61ac94",
        embedded=True,
        licence="Apache-2.0",
        sizes=(Size(320, 192), Size(192, 320), Size(256, 256)),
        fps=8,
        min_frames=17,
        max_frames=41,
        default_frames=41,
        max_sequence_length=48,
        two_experts=True,
        memory_gb=0.1,
        shape=shapes.SKETCH,
        negative_prompt="",
        closed_world=True,
        sampling=_steps(10, 16, 24, high=3.0, low=2.5, shift=3.0),
    ),
    ModelSpec(
        name="wan2.2-t2v-a14b",
        title="Wan2.2 T2V-A14B",
        repo="Wan-AI/Wan2.2-T2V-A14B-Diffusers",
        revision=None,
        embedded=False,
        licence="Apache-2.0",
        sizes=_WAN_SIZES,
        fps=16,
        min_frames=17,
        max_frames=81,
        default_frames=81,
        max_sequence_length=512,
        two_experts=True,
        memory_gb=69.0,
        shape=shapes.A14B,
        negative_prompt=_WAN_NEGATIVE,
        tiers=TIERS,
        distilled=Distilled(
            name="wan2.2-t2v-lightning",
            repo="lightx2v/Wan2.2-Lightning",
            revision=None,
            high="Wan2.2-T2V-A14B-4steps-lora-250928/high_noise_model.safetensors",
            low="Wan2.2-T2V-A14B-4steps-lora-250928/low_noise_model.safetensors",
            timesteps=_FOUR_STEPS,
            flow_shift=5.0,
        ),
        # Wan2.2 `wan_t2v_A14B.py`: 40 steps, shift 12, guide scale 3.0 (low noise) and 4.0 (high noise).
        sampling=_steps(16, 28, 40, high=4.0, low=3.0, shift=12.0),
    ),
    ModelSpec(
        name="wan2.2-i2v-a14b",
        title="Wan2.2 I2V-A14B",
        repo="Wan-AI/Wan2.2-I2V-A14B-Diffusers",
        revision=None,
        embedded=False,
        licence="Apache-2.0",
        sizes=_WAN_SIZES,
        fps=16,
        min_frames=17,
        max_frames=81,
        default_frames=81,
        max_sequence_length=512,
        two_experts=True,
        memory_gb=69.0,
        shape=shapes.A14B,
        negative_prompt=_WAN_NEGATIVE,
        first_frame="needed",
        tiers=TIERS,
        distilled=Distilled(
            name="wan2.2-i2v-lightning",
            repo="lightx2v/Wan2.2-Lightning",
            revision=None,
            high="Wan2.2-I2V-A14B-4steps-lora-rank64-Seko-V1/high_noise_model.safetensors",
            low="Wan2.2-I2V-A14B-4steps-lora-rank64-Seko-V1/low_noise_model.safetensors",
            timesteps=_FOUR_STEPS,
            flow_shift=5.0,
        ),
        # Wan2.2 `wan_i2v_A14B.py`: 40 steps, shift 5, guide scale 3.5 for both experts, boundary 0.900.
        sampling=_steps(16, 28, 40, high=3.5, low=3.5, shift=5.0),
    ),
    ModelSpec(
        name="wan2.2-ti2v-5b",
        title="Wan2.2 TI2V-5B",
        repo="Wan-AI/Wan2.2-TI2V-5B-Diffusers",
        revision=None,
        embedded=False,
        licence="Apache-2.0",
        sizes=(Size(1280, 704), Size(704, 1280), Size(832, 480), Size(480, 832)),
        fps=24,
        min_frames=25,
        max_frames=121,
        default_frames=121,
        max_sequence_length=512,
        two_experts=False,
        memory_gb=23.0,
        shape=shapes.TI2V_5B,
        negative_prompt=_WAN_NEGATIVE,
        first_frame="optional",
        tiers=("exact", "balanced", "draft"),
        sampling=_steps(20, 35, 50, high=5.0, low=None, shift=5.0),
    ),
    ModelSpec(
        name="wan2.1-t2v-1.3b",
        title="Wan2.1 T2V-1.3B",
        repo="Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
        revision=None,
        embedded=False,
        licence="Apache-2.0",
        sizes=(Size(832, 480), Size(480, 832), Size(624, 624)),
        fps=16,
        min_frames=17,
        max_frames=81,
        default_frames=81,
        max_sequence_length=512,
        two_experts=False,
        memory_gb=14.5,
        shape=shapes.T2V_1B,
        negative_prompt=_WAN_NEGATIVE,
        tiers=("exact", "balanced", "draft"),
        sampling=_steps(20, 35, 50, high=6.0, low=None, shift=8.0),
    ),
)


class _Models(Mapping[str, ModelSpec]):
    """The models that run here, then the cloud's, whose tables are read when somebody first looks."""

    def __init__(self) -> None:
        self._known: dict[str, ModelSpec] | None = None
        self._learned: dict[str, ModelSpec] = {}

    def _all(self) -> dict[str, ModelSpec]:
        if self._known is None:
            from pipelines.cloud_models import shipped

            self._known = {spec.name: spec for spec in _SPECS} | shipped() | self._learned
        return self._known

    def learn(self, specs: Mapping[str, ModelSpec]) -> None:
        self._learned.update(specs)
        self._known = None

    def __getitem__(self, name: str) -> ModelSpec:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


_models = _Models()
MODELS: Mapping[str, ModelSpec] = _models
DEFAULT_MODEL = "sketch"


def title_of(name: str) -> str:
    """A model's title; the name itself for one that is in no table any more."""
    spec = MODELS.get(name)
    return name if spec is None else spec.title


if __name__ == "__main__":
    import runpy

    # The command is a door of the studio, which stands above this table: it has settings and words.
    runpy.run_module("studio.models_cli", run_name="__main__")
