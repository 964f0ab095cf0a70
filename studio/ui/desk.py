"""What happens when something on the Create tab is used: handlers that answer in milliseconds.

Jobs are followed elsewhere. Updates of the form are given by the names of its fields.
"""

import contextlib
import time
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.models import MODELS
from pipelines.request import MAX_PROMPT, Notice
from studio.access import Visitor
from studio.core import Refused
from studio.styles import STYLES, Style
from studio.ui import final_prompt, picture, takes, unable, ways, withheld
from studio.ui import form as fields
from studio.ui.context import Page
from studio.ui.examples import examples
from studio.ui.markup import acted, button

Updates = dict[str, Any]


class Desk:
    """The handlers of one page's form and stage."""

    def __init__(self, page: Page) -> None:
        self.page = page

    # -- asking --------------------------------------------------------------------------------------------

    def ask(self, request: gr.Request, **form: Any) -> tuple[Any, str, str]:
        """Queue what the form asks for: the job to follow, a sentence if it can't be made, or which words."""
        try:
            return self.page.studio.generate(self.page.visitor(request), **form), "", ""
        except Refused as refused:
            if all(notice.code.startswith("trust_") for notice in refused.notices):
                texts = {name: str(form.get(name) or "") for name in ("prompt", "negative_prompt")}
                return gr.skip(), "", withheld.trouble(self.page, refused.notices, texts)
            return gr.skip(), self._sorry(refused), ""

    def price(self, **form: Any) -> str:
        """Time and price of what the form asks for now; the prompt does not matter."""
        try:
            estimate = self.page.studio.estimate(**{**form, "prompt": form.get("prompt") or "…"})
        except Refused:
            return escape(self.page.t("price_fix"))
        if estimate.cannot is not None:
            return f'<span class="otherwise">{escape(self.page.say(estimate.cannot))}</span>'
        otherwise = "".join(
            f'<span class="otherwise">{escape(self.page.say(notice))}</span>' for notice in estimate.told
        )
        return escape(fields.price(self.page, estimate)) + otherwise

    def _sorry(self, refused: Refused) -> str:
        named = [str(notice.values.get("field", "")) for notice in refused.notices]
        return (
            f'<p class="sorry" role="alert" data-field="{escape(named[0] if named else "")}">'
            f"{escape(self.page.say(*refused.notices))}</p>{unable.way(self.page, refused.notices)}"
        )

    def models_now(self, model: Any) -> Updates:
        """The models as they are here now, and what is said of the one that is chosen."""
        found = {"model_note": self.model_note(str(model))}
        return found | {"model": gr.update(choices=fields.models(self.page))}

    # -- filling the form ----------------------------------------------------------------------------------

    def fill(self, kept: dict[str, Any]) -> Updates:
        """Updates of every field to the values of a kept form, choices of its model included."""
        values = fields.filled(self.page, kept)
        updates: Updates = self.switch_model(str(values["model"]))
        for name, value in values.items():
            updates[name] = gr.update(**{**updates.get(name, {}), "value": value})
        updates |= self.switch_tier(values["tier"], values["model"], values["size"], values)
        spec = MODELS.get(str(values["model"])) or self.page.studio.models()[0]
        updates["lora_list"] = ways.lora_list(self.page, spec, values["loras"])
        dials = ("style", "style_version", "model", "quality", "seconds", "tier")
        return updates | self.hints(*(values[name] for name in dials), values=values)

    def switch_model(self, model: str) -> Updates:
        """The choices that depend on the model, with its own defaults chosen."""
        spec = MODELS.get(model) or self.page.studio.models()[0]
        sizes = fields.sizes(spec)
        return {
            "size": gr.update(choices=sizes, value=sizes[0][1]),
            "seconds": gr.update(choices=fields.lengths(self.page, spec), value=fields.default_length(spec)),
            "guidance_scale_2": gr.update(visible=spec.two_experts, value=""),
            "model_note": self.model_note(spec.name),
            "tier": gr.update(
                choices=ways.tiers(self.page, spec), value=spec.tiers[0], visible=len(spec.tiers) > 1
            ),
            "loras": gr.update(value=""),
            "lora_list": ways.lora_list(self.page, spec, ""),
            # A cloud's model knows one quality.
            "quality": gr.update(visible=spec.cloud is None),
        }

    def switch_tier(self, tier: Any, model: str, size: Any, values: Updates | None = None) -> Updates:
        """What a tier decides besides: a draft begins small, and only exact and balanced know qualities."""
        spec = MODELS.get(model) or self.page.studio.models()[0]
        kept = {} if values is None else {"value": values["quality"]}
        updates = {"quality": gr.update(visible=tier not in ("fast", "draft"), **kept)}
        if values is None:
            updates["size"] = gr.update(value=ways.size_for(spec, tier, size))
        return updates

    def ways_now(self, model: str, tier: Any, loras: Any) -> Updates:
        """The tiers and LoRAs as they are here now; what was chosen stays."""
        spec = MODELS.get(model) or self.page.studio.models()[0]
        return {
            "tier": gr.update(choices=ways.tiers(self.page, spec), value=ways.tier_of(spec, tier)),
            "lora_list": ways.lora_list(self.page, spec, loras),
        }

    def hints(
        self,
        style: str,
        style_version: Any,
        model: str,
        quality: str,
        seconds: Any,
        tier: Any = "",
        *,
        values: Updates | None = None,
    ) -> Updates:
        """What each advanced field would be if left empty, as its placeholder."""
        spec = MODELS.get(model) or self.page.studio.models()[0]
        length = seconds if isinstance(seconds, int | float) else fields.default_length(spec)
        chosen = self._style(style, style_version)
        found = fields.derived(self.page, spec, style=chosen, quality=quality, seconds=length, tier=tier)
        updates = {}
        for name, hint in found.items():
            more = {} if values is None else {"value": values[name]}
            if name == "guidance_scale_2":
                more["visible"] = spec.two_experts
            updates[name] = gr.update(placeholder=hint, **more)
        return updates

    def model_note(self, model: str) -> str:
        """What a model is for and whether it is here, as HTML."""
        spec = MODELS.get(model) or self.page.studio.models()[0]
        look = "model-note" if fields.weights_here(self.page, spec) else "model-note absent"
        # The stylesheet takes hints about another model away.
        kind = "cloud" if spec.cloud is not None else "closed" if spec.closed_world else "open"
        told = f'<p class="{look}" data-model="{kind}">{escape(fields.model_note(self.page, spec))}</p>'
        if look == "model-note":
            return told
        return told + button(self.page.t("to_models"), "to_models", symbol="next", look="bare")

    def reads(self, prompt: Any, negative: Any, style: Any, style_version: Any, model: Any) -> str:
        """What is asked for in the end, style and all, and what a small model takes of it, as HTML."""
        spec = MODELS.get(str(model))
        if spec is None or not isinstance(prompt, str) or not prompt.strip():
            return ""
        chosen = self._style(style, style_version) or STYLES["none"]
        return final_prompt.render(
            self.page, chosen, spec, prompt=prompt.strip()[:MAX_PROMPT], negative=str(negative or "")
        )

    def _style(self, name: Any, version: Any) -> Style | None:
        return self.page.studio.styles.find(str(name), fields.version(version))

    def restore(self, path: str | None) -> tuple[Updates, str]:
        """The form out of a film that was made here; the upload itself is not kept."""
        if not path:
            return {}, ""
        try:
            kept = self.page.studio.restore(Path(path))
            told = self.page.t("restored")
            if kept.get("first_frame") and not fields.picture_here(self.page, kept):
                told += ("" if self.page.language == "zh" else " ") + self.page.t("restored_no_picture")
            return self.fill(kept), f'<p class="told">{escape(told)}</p>'
        except Refused as refused:
            return {}, self._sorry(refused)
        finally:
            with contextlib.suppress(OSError):
                Path(path).unlink()

    def example(self, key: str) -> Updates:
        """The form for one of the examples."""
        listed = examples()
        chosen = listed[int(key)] if key.isdecimal() and int(key) < len(listed) else listed[0]
        return {
            "prompt": chosen.prompt[self.page.language],
            "prompt_original": "",
            "style": chosen.style,
            "style_version": "",
        }

    # -- the buttons of stage and strip --------------------------------------------------------------------

    def act(self, event: gr.EventData, request: gr.Request) -> tuple[Any, str, Updates]:
        """Do what a button says: the job to follow now, a sentence if it is refused, fields to fill."""
        what, key = acted(event)
        visitor, studio = self.page.visitor(request), self.page.studio
        try:
            if what == "cancel":
                studio.cancel(visitor, key)
            elif what == "retry":
                studio.retry(visitor, key)
                return f"{key} {time.time():.3f}", "", {}
            elif what == "again":
                return studio.again(visitor, key), "", {}
            elif what == "open":
                return key, "", {}
            elif what == "fresh":
                return "", "", {}
            elif what == "use":
                return gr.skip(), "", self.fill(studio.asset(visitor, key).form)
            elif what == "go_on":
                return gr.skip(), "", self.go_on(visitor, key)
            elif what == "edit":
                return gr.skip(), "", self.fill(studio.job(visitor, key).job.form)
            elif what == "example":
                return gr.skip(), "", self.example(key)
        except Refused as refused:
            return gr.skip(), self._sorry(refused), {}
        return gr.skip(), "", {}

    def go_on(self, visitor: Visitor, asset_id: str) -> Updates:
        """The form that goes on from a clip, by a model that can; Refused where none is here."""
        spec = picture.taker(self.page, self.page.studio.asset(visitor, asset_id).model)
        if spec is None:
            raise Refused(Notice("go_on_no_model", {"models": picture.able(self.page)}))
        return self.fill(self.page.studio.goes_on(visitor, asset_id, spec.name))

    # -- the first picture ---------------------------------------------------------------------------------

    def picture(self, event: gr.EventData, first_frame: Any, model: Any, size: Any) -> Updates:
        """What the area of the first picture asks for: another one, none, or a model that takes it."""
        what, key = acted(event)
        if what == "picture":
            return {"first_frame": key, "size": picture.suggested(self.page, key, model)}
        if what == "unpicture":
            return {"first_frame": ""}
        if what == "take_model" and key in MODELS:
            updates = self.switch_model(key) | {"model": key}
            shape = picture.suggested(self.page, first_frame, key)
            return updates | ({"size": updates["size"] | shape} if isinstance(shape, dict) else {})
        return {}

    def takes(self, job: str, request: gr.Request) -> str:
        """The film strip below the stage."""
        return takes.strip(self.page, self.page.visitor(request), job.partition(" ")[0])
