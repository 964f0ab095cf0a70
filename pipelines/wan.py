"""A request becomes frames on this machine: diffusers' own WanPipeline, watched, cancellable, streamed."""

import contextlib
import gc
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from diffusers import UniPCMultistepScheduler, WanPipeline

from pipelines import first_frame, placing, prompts, speed
from pipelines.adapters import Adapters
from pipelines.decode import decode_ahead, decode_chunks
from pipelines.engine import PLAIN, Engine
from pipelines.extras import extras_of, no_room
from pipelines.first_frame import FirstFrame
from pipelines.memory import NOTHING, Clip
from pipelines.models import ModelSpec
from pipelines.placement import Plan, tiles
from pipelines.preview import Previews, colours_for
from pipelines.prompts import Embeds, Prompts
from pipelines.request import (
    NO_INPUTS,
    Cancelled,
    GenerationRequest,
    Inputs,
    ModelError,
    OnProgress,
    Progress,
)
from pipelines.schedulers import scheduler_for
from pipelines.sketch.reading import read
from pipelines.tiny_vae import TinyVae

log = logging.getLogger(__name__)


class WanVideo:
    """The weights of one model, ready to make clips, one at a time.

    `spec` says which model; `revision` is what a recipe stores about its weights; `pipe` is diffusers' own,
    on which `engine` was put already, laid out as `plan` says (None: it lies where it is). `kept` holds what
    the text encoder made of earlier prompts; `tiny` makes the previews, if there is one.
    """

    def __init__(
        self,
        pipe: WanPipeline,
        spec: ModelSpec,
        *,
        revision: str = "",
        folder: Path | None = None,
        engine: Engine = PLAIN,
        plan: Plan | None = None,
        kept: Prompts | None = None,
        tiny: TinyVae | None = None,
    ) -> None:
        self.pipe: Any = pipe
        self.spec = spec
        self.revision = revision
        self.engine = engine
        self.plan = plan
        self._kept = kept
        self._tiny = tiny
        self._adapters = Adapters(pipe, spec, fused=engine.fused)
        pipe.set_progress_bar_config(disable=True)
        self._scheduler_config = pipe.scheduler.config
        self._colours = colours_for(folder, pipe.vae.config.z_dim)
        self._busy = threading.Lock()
        self._closed = False
        self.used = time.monotonic()

    def generate(
        self,
        request: GenerationRequest,
        on_progress: OnProgress,
        should_stop: Callable[[], bool],
        inputs: Inputs = NO_INPUTS,
    ) -> Iterator[np.ndarray]:
        """Yield the clip's frames, uint8 (height, width, 3) in RGB, as they are decoded.

        `on_progress` is called at every step, always in the caller's thread; previews come with it, or a few
        milliseconds later with the next transformer block. `should_stop` is asked before every transformer
        block, after every step and before every decoded chunk: make it a flag, not a query.
        Raises Cancelled, ModelError "out_of_memory", "first_frame_gone", one that says that the plan has no
        room (see `extras.no_room`) or one about a LoRA (see `Adapters.use`), RuntimeError while another
        request is running, and whatever `on_progress` raises.
        However it ends, also by closing this iterator half-way, the next one gets the very pixels it would
        have got otherwise.
        """
        if request.model != self.spec.name:
            raise ValueError(f"this is {self.spec.name}, the request is for {request.model}")
        if self._closed:
            raise RuntimeError(f"{self.spec.name} was unloaded")
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("a WanVideo makes one clip at a time")
        factor = self.pipe.vae.config.scale_factor_temporal
        previews = Previews(self._colours, fps=request.fps, temporal_factor=factor, tiny=self._tiny)
        run = _Run(request.num_inference_steps, on_progress, should_stop, previews)
        short_of_memory = False
        try:
            yield from self._frames(request, run, inputs)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            log.warning("out of memory: %s", str(error))
            short_of_memory = True
        finally:
            try:
                self._clean(run)
            finally:
                self.used = time.monotonic()
                self._busy.release()
        if short_of_memory:
            # Out here, where `error` is gone: it holds the stack, and the stack holds the big tensors.
            free_memory()
            raise ModelError(
                "out_of_memory", model=self.spec.title, size=str(request.size), frames=request.num_frames
            )

    def idle_seconds(self) -> float:
        """Seconds since it was last asked for or made a clip; 0 while it makes one."""
        return 0.0 if self._busy.locked() else time.monotonic() - self.used

    def close(self) -> None:
        """Let go of the weights for good; RuntimeError while a clip is being made."""
        if not self._closed and not self._busy.acquire(blocking=False):
            raise RuntimeError(f"{self.spec.name} is making a clip")
        self._closed = True
        self.pipe = self._adapters = None  # type: ignore[assignment]  # the end of this object

    def _frames(self, request: GenerationRequest, run: "_Run", inputs: Inputs) -> Iterator[np.ndarray]:
        run.check()
        run.extras = extras_of(request, inputs.loras)
        short = None if self.plan is None else no_room(self.plan, request, run.extras)
        if short is not None:
            raise ModelError(short.code, **short.values)
        run.say("encoding")
        embeds = self._read(request)
        run.first = self._first_frame(request, run, inputs)
        self._adapters.use(request, inputs)
        with speed.running(self.pipe, request):
            latents = self._denoise(request, embeds, run)
        run.check()
        run.say("decoding")
        with contextlib.closing(self._decoded(latents, request, run)) as chunks:
            for chunk in chunks:
                yield from chunk
                run.check()
                run.deliver()

    def _read(self, request: GenerationRequest) -> Embeds:
        """The prompts as the experts take them; the negative one only where guidance is on."""
        text = read(request.prompt).caption if self.spec.closed_world else request.prompt
        return prompts.read(
            self.pipe,
            text,
            request.negative_prompt if request.guidance_scale > 1 else None,
            max_sequence_length=self.spec.max_sequence_length,
            kept=self._kept,
            leaves=lambda: placing.text_encoder_leaves(self.pipe),
        )

    def _decoded(
        self, latents: torch.Tensor, request: GenerationRequest, run: "_Run"
    ) -> Generator[np.ndarray, None, None]:
        """The frames in chunks; in tiles where the plan has no room for the whole picture.

        On a card, tiers that trade exactness for time decode in bf16: a fifth to a quarter less time for
        0.9999 of the structure, as FastVideo measured it. The exact tier keeps the VAE's fp32.
        """
        if self._tiled(request, run):
            return placing.decode_tiled(self.pipe.vae, latents, run.check)
        if not latents.is_cuda:
            # Its cores are busy either way: a second thread at them was no gain.
            return decode_chunks(self.pipe.vae, latents)
        half = request.tier != "exact" and not self.spec.embedded
        return decode_ahead(self.pipe.vae, latents, half=half)

    def _tiled(self, request: GenerationRequest, run: "_Run") -> bool:
        """Whether the plan has no room for a whole picture in the VAE."""
        clip = Clip(request.size, request.num_frames)
        return self.plan is not None and tiles(self.plan, self.spec, clip, run.extras)

    def _first_frame(self, request: GenerationRequest, run: "_Run", inputs: Inputs) -> FirstFrame | None:
        """The picture that the clip begins with, as latents; None if it begins with none."""
        if not request.first_frame:
            return None
        if inputs.first_frame is None:
            raise ModelError("first_frame_gone")
        picture = first_frame.fitted(inputs.first_frame, request.width, request.height)
        frames, seed = request.num_frames, request.seed
        tiled = self._tiled(request, run)
        return first_frame.encode(
            self.pipe, picture, num_frames=frames, seed=seed, check=run.check, tiled=tiled
        )

    def _denoise(self, request: GenerationRequest, embeds: Embeds, run: "_Run") -> torch.Tensor:
        """The finished latents (1, C, T, h, w), normalised, on the pipeline's device."""
        pipe = self.pipe
        pipe.scheduler = scheduler_for(request, self.spec, self._scheduler_config)
        for expert in self._experts():
            run.hooks += [block.register_forward_pre_hook(run.before_block) for block in expert.blocks]
            if run.first is not None:
                run.hooks += [expert.register_forward_pre_hook(run.first.before, with_kwargs=True)]
            elif pipe.config.expand_timesteps:
                run.hooks += [expert.register_forward_pre_hook(first_frame.one_time, with_kwargs=True)]
        latents = pipe(
            prompt_embeds=embeds.prompt,
            negative_prompt_embeds=embeds.negative,
            height=request.height,
            width=request.width,
            num_frames=request.num_frames,
            num_inference_steps=request.num_inference_steps,
            guidance_scale=request.guidance_scale,
            guidance_scale_2=request.guidance_scale_2,
            # Drawn on the CPU: the same seed is the same noise on every machine.
            generator=torch.Generator("cpu").manual_seed(request.seed),
            latents=None if run.first is None else run.first.latents,
            output_type="latent",
            callback_on_step_end=run.after_step,
            callback_on_step_end_tensor_inputs=[],
            max_sequence_length=self.spec.max_sequence_length,
        ).frames
        return latents if run.first is None else run.first.held(latents)

    def _experts(self) -> list[Any]:
        return [expert for expert in (self.pipe.transformer, self.pipe.transformer_2) if expert is not None]

    def _clean(self, run: "_Run") -> None:
        """Take every trace of a job off the pipeline; an exception skips diffusers' own cleaning."""
        run.previews.close()
        for hook in run.hooks:
            hook.remove()
        placing.job_ends(self.pipe)
        for expert in self._experts():
            if hasattr(expert, "_reset_stateful_cache"):
                # Step caches (first block, mag) otherwise answer the next job with this one's features.
                expert._reset_stateful_cache()
        self.pipe.scheduler = UniPCMultistepScheduler.from_config(self._scheduler_config)


class _Run:
    """One request under way: where it is, and the hooks through which the pipeline is watched."""

    def __init__(
        self, total: int, on_progress: OnProgress, should_stop: Callable[[], bool], previews: Previews
    ) -> None:
        self.total = total
        self.step = 0
        self.stage: Literal["encoding", "denoising", "decoding"] = "encoding"
        self.previews = previews
        self.hooks: list[Any] = []
        self.first: FirstFrame | None = None
        self.extras = NOTHING
        self._on_progress = on_progress
        self._should_stop = should_stop

    def check(self) -> None:
        """Raise Cancelled once the job is to stop."""
        if self._should_stop():
            raise Cancelled

    def say(self, stage: Literal["encoding", "denoising", "decoding"]) -> None:
        """Report a new stage or step, with a finished preview if there is one."""
        self.stage = stage
        self._on_progress(Progress(stage, self.step, self.total, self.previews.take()))

    def deliver(self) -> None:
        """Report a preview that was finished since; nothing if there is none."""
        preview = self.previews.take()
        if preview is not None:
            self._on_progress(Progress(self.stage, self.step, self.total, preview))

    def before_block(self, *_: Any) -> None:
        """Before every transformer block: the finest grain at which diffusers lets anybody look in."""
        self.check()
        if self.stage == "encoding":
            self.say("denoising")
        else:
            self.deliver()

    def after_step(
        self, pipe: WanPipeline, index: int, _timestep: Any, _tensors: dict[str, Any]
    ) -> dict[str, Any]:
        """After every step: the scheduler keeps its estimate of the clean latents, a readable preview."""
        self.check()
        self.step = index + 1
        clean = pipe.scheduler.model_outputs[-1]
        clean = clean if self.first is None else self.first.held(clean)
        self.previews.offer(clean, last=self.step == self.total)
        self.say("denoising")
        return {}


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on a GPU or on the CPU (there only its wording tells)."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    words = (
        "out of memory",
        "not enough memory",
        "can't allocate memory",
        "cannot allocate memory",
        "alloc_failed",
    )
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)


def free_memory() -> None:
    """Give back what no object holds any more, the GPU's cached blocks too."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
