"""The stages of training. Each finds what is done in the run folder, does the rest and may be killed."""

from __future__ import annotations

import copy
import random
import shutil
import time
from pathlib import Path

import torch
from diffusers import WanTransformer3DModel
from safetensors.torch import load_file, save_file
from tqdm import tqdm
from transformers import AutoTokenizer, PreTrainedTokenizerFast, UMT5EncoderModel

from pipelines.sketch import build, samples
from pipelines.sketch.captions import corpus
from pipelines.sketch.codec import PatchCodec
from pipelines.sketch.data import SIZES, Clips, fit_codec, make_shard, save_shard
from pipelines.sketch.decoder import DecoderLearner, render_pool, train_decoder
from pipelines.sketch.positions import learn_places
from pipelines.sketch.recipes import Recipe
from pipelines.sketch.video import Learner, Plan, train
from pipelines.sketch.words import learn_words

_TAKEN_OVER = ("codec.safetensors", "words", "places.pt", "decoder.pt", "decoder_clips.safetensors")


class Run:
    """One training run: a recipe and the folder where everything it makes is kept.

    `start` is the folder of an earlier run to go on from: everything but its clips is taken over once.
    """

    def __init__(
        self, recipe: Recipe, folder: Path, seed: int, until: float, start: Path | None = None
    ) -> None:
        self.recipe, self.folder, self.seed, self.until = recipe, folder, seed, until
        self.start = start
        for name in ("clips", "sheets"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name in _TAKEN_OVER if start else ():
            old, new = start / name, folder / name
            if not new.exists():
                copy_to = shutil.copytree if old.is_dir() else shutil.copyfile
                copy_to(old, new)

    def codec(self) -> PatchCodec:
        """The frozen code, fitted on the first call."""
        path = self.folder / "codec.safetensors"
        if not path.exists():
            fit_codec(self.seed, scenes=self.recipe.codec_scenes, device=self.recipe.device).save(path)
        return PatchCodec.load(path)

    def data(self) -> bool:
        """Render and encode the clips that are missing; False when time ran out."""
        recipe = self.recipe
        codec = self.codec().to(recipe.device)
        jobs = [(f"some-{n:04d}.pt", n, 3) for n in range(recipe.shards)]
        jobs += [(f"whole-{n:04d}.pt", n, 0) for n in range(recipe.whole_shards)]
        for name, number, count in tqdm(jobs, desc="clips", mininterval=15):
            path = self.folder / "clips" / name
            if path.exists():
                continue
            if time.monotonic() > self.until:
                return False
            size = SIZES[number // 10 % 2 + 1] if number % 5 == 4 else SIZES[0]
            clips = recipe.shard_clips if count else recipe.shard_clips // 8
            rng = random.Random(f"{self.seed} {name}")
            save_shard(
                make_shard(codec, rng, clips=clips, count=count, size=size, half=True, device=recipe.device),
                path,
            )
        return True

    def words(self) -> tuple[PreTrainedTokenizerFast, UMT5EncoderModel]:
        """The tokenizer and the text encoder after its own lesson, made on the first call."""
        folder, sizes = self.folder / "words", self.recipe.sizes
        if not (folder / "done").exists():
            torch.manual_seed(self.seed)
            tokenizer = build.make_tokenizer(corpus(20000, self.seed), sizes.vocabulary)
            encoder = build.make_text_encoder(sizes, len(tokenizer)).to(self.recipe.device)
            steps = self.recipe.word_steps
            right = learn_words(tokenizer, encoder, steps=steps, batch=64, seed=self.seed)
            print("words understood:", {name: round(value, 3) for name, value in right.items()})
            tokenizer.save_pretrained(folder)
            encoder.save_pretrained(folder)
            (folder / "done").touch()
        return (
            AutoTokenizer.from_pretrained(folder),
            UMT5EncoderModel.from_pretrained(folder, dtype=torch.float32).to(self.recipe.device),
        )

    def decoder(self) -> bool:
        """Train the VAE's decoder; True when its plan is done."""
        recipe, checkpoint = self.recipe, self.folder / "decoder.pt"
        torch.manual_seed(self.seed)
        pool_path = self.folder / "decoder_clips.safetensors"
        if not pool_path.exists():
            pool = render_pool(recipe.decoder.clips, self.seed, recipe.device)
            save_file({"pool": pool}, pool_path)
        pool = load_file(pool_path)["pool"]
        vae = build.make_vae(recipe.sizes).to(recipe.device)
        codec = self.codec().to(recipe.device)
        learner = DecoderLearner(vae, codec, pool, recipe.decoder)
        if checkpoint.exists():
            learner.load(torch.load(checkpoint, weights_only=True))

        def show() -> None:
            samples.decoder_sheet(learner, self.folder / "sheets" / f"decoder-{learner.step:06d}.png")

        return train_decoder(learner, checkpoint, until=self.until, on_save=show)

    def places(self) -> None:
        """Teach a fresh transformer where every token is; both experts start from it."""
        recipe, path = self.recipe, self.folder / "places.pt"
        if path.exists():
            return
        torch.manual_seed(self.seed)
        transformer = build.make_transformer(recipe.sizes).to(recipe.device)
        state, left = learn_places(transformer, steps=recipe.place_steps, seed=self.seed)
        print(f"places: {left:.3f} nats left")
        torch.save(state, path)

    def expert(self, name: str) -> bool:
        """Train the "high" or the "low" expert; True when its plan is done."""
        plan: Plan = getattr(self.recipe, name)
        checkpoint = self.folder / f"{name}.pt"
        tokenizer, encoder = self.words()
        torch.manual_seed(self.seed)
        transformer = build.make_transformer(self.recipe.sizes).to(self.recipe.device)
        start = torch.load(self.folder / "places.pt", weights_only=True, map_location=self.recipe.device)
        transformer.load_state_dict(start["transformer"])
        learner = Learner(transformer, encoder, tokenizer, plan, self.seed + len(name))
        learner.places.load_state_dict(start["places"])
        if checkpoint.exists():
            learner.load(torch.load(checkpoint, weights_only=True))
        elif self.start:
            learner.start_from(torch.load(self.start / checkpoint.name, weights_only=True))
        codec = self.codec()

        def show() -> None:
            other = copy.deepcopy(learner.average.modules["transformer"])
            state = self._averaged("low" if name == "high" else "high")
            if state:
                other.load_state_dict(state["transformer"])
            path = self.folder / "sheets" / f"{name}-{learner.step:06d}.png"
            samples.video_sheet(learner, other, codec, path, self.seed, self.recipe.sheet_texts)

        clips = [
            Clips(self.folder / "clips", f"{kind}-*.pt", self.seed + learner.step + len(name))
            for kind in ("some", "whole")
        ]
        return train(learner, *clips, checkpoint, until=self.until, on_save=show)

    def export(self, out: Path) -> None:
        """Write what there is by now as a `WanPipeline` folder; what is missing is taken untrained."""
        sizes = self.recipe.sizes
        tokenizer, encoder = self.words()
        experts: list[WanTransformer3DModel] = []
        for name in ("high", "low"):
            transformer = build.make_transformer(sizes)
            if state := self._averaged(name):
                transformer.load_state_dict(state["transformer"])
            experts.append(transformer)
        vae = build.make_vae(sizes)
        decoder = self._averaged("decoder")
        if decoder:
            vae.load_state_dict(decoder["vae"])
        build.export(
            out, tokenizer=tokenizer, text_encoder=encoder.cpu(), high=experts[0], low=experts[1],
            vae=vae, codec=self.codec(),
        )  # fmt: skip

    def _averaged(self, name: str) -> dict | None:
        path = self.folder / f"{name}.pt"
        return torch.load(path, weights_only=True, map_location="cpu")["average"] if path.exists() else None
