"""The tab Create: what is asked on the left, what is seen on the right."""

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr
from gradio.events import Dependency

from pipelines.request import MAX_SEED
from studio.ui import form as fields
from studio.ui import picture, rewriting, stage, ways
from studio.ui.context import Page
from studio.ui.desk import Desk, Updates
from studio.ui.examples import examples, sketch_words
from studio.ui.following import Follower
from studio.ui.markup import EVERY, acted, area, button

# How an event that answers in milliseconds is declared.
QUICK: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# The same for events that read the whole form. Gradio would compare a choice with those it last sent, and
# break when somebody is quicker; the studio checks every value itself, in words.
RAW: dict[str, Any] = QUICK | {"preprocess": False}
# What is chosen while an answer is on its way is asked for after it: left to itself, Gradio drops it, and the
# page would go by what was chosen before.
LAST: dict[str, Any] = {"trigger_mode": "always_last"}

Field = gr.Textbox | gr.Radio | gr.Dropdown


@dataclass(frozen=True)
class Create:
    """What other tabs need of this one."""

    form: dict[str, Field]
    job: gr.Textbox
    notice: gr.HTML
    trouble: gr.HTML
    model_note: gr.HTML
    price: gr.HTML
    lora_list: gr.HTML
    tiles: gr.HTML
    filing: gr.HTML
    desk: Desk

    def told(self) -> list[Any]:
        """What says that something can't be made."""
        return [self.notice, self.trouble]

    def outputs(self) -> list[Any]:
        """The fields of the form and what stands beside them, for events that fill them."""
        return [*self.form.values(), self.model_note, self.lora_list]

    def by_component(self, updates: Updates) -> dict[Any, Any]:
        """Updates by a field's name as Gradio takes them; fields that are not named stay as they are."""
        beside = {"model_note": self.model_note, "lora_list": self.lora_list}
        return {beside[name] if name in beside else self.form[name]: value for name, value in updates.items()}


def build(page: Page) -> tuple[Create, Dependency]:
    """Lay out form and stage and wire their events; also the event that ends when a followed job has."""
    t, spec, desk = page.t, page.studio.models()[0], Desk(page)
    first = examples()[0].prompt[page.language]
    with gr.Row(elem_id="create"):
        with gr.Column(elem_id="asking"):
            prompt = gr.Textbox(
                label=page.field("prompt"),
                show_label=False,
                placeholder=t("prompt_placeholder"),
                lines=3,
                max_lines=10,
                elem_id="prompt",
                autofocus=True,
            )
            trouble = area("", "trouble")
            improving = area(rewriting.resting(page), "rewriting")
            reads = area("", "reads")
            tries = area(_examples(page), "examples")
            area(button(t("style_all"), "all_styles", symbol="next", look="bare"), "style_more")
            # Gradio draws what lies on a closed tab only when it is opened: these rules are needed here.
            tiles = area("", "style_tiles")
            style = gr.Radio(fields.styles(page), value="none", label=page.field("style"), elem_id="style")
            begins = area(picture.render(page, "", spec.name, ""), "first_picture")
            with gr.Row(elem_id="frame_row"):
                size = gr.Radio(
                    fields.sizes(spec),
                    value=fields.sizes(spec)[0][1],
                    label=page.field("size"),
                    elem_id="size",
                )
            with gr.Row(elem_id="dials"):
                seconds = gr.Radio(
                    fields.lengths(page, spec),
                    value=fields.default_length(spec),
                    label=t("length"),
                    elem_id="length",
                )
                quality = gr.Radio(
                    fields.qualities(page),
                    value=fields.DEFAULT_QUALITY,
                    label=page.field("quality"),
                    elem_id="quality",
                )
            area(f'<p class="muted">{escape(t("quality_hint"))}</p>', "quality_hint")
            with gr.Row(elem_id="seed_row"):
                seed = gr.Textbox(
                    label=page.field("seed"),
                    placeholder=t("seed_placeholder"),
                    elem_id="seed",
                    max_lines=1,
                    html_attributes=gr.InputHTMLAttributes(autocomplete="off", spellcheck=False),
                )
                dice = gr.Button(t("dice"), elem_id="dice", size="sm", min_width=44)
                model = gr.Dropdown(
                    fields.models(page),
                    value=spec.name,
                    label=page.field("model"),
                    elem_id="model",
                    filterable=False,
                )
            note = area(desk.model_note(spec.name), "model_note")
            with gr.Accordion(t("advanced"), open=False, elem_id="advanced") as accordion:
                tier = gr.Radio(
                    ways.tiers(page, spec),
                    value=spec.tiers[0],
                    label=page.field("tier"),
                    elem_id="tier",
                    visible=len(spec.tiers) > 1,
                )
                lora_list = area("", "lora_list")
                advanced = _advanced(page)
            with gr.Column(elem_id="drop_mp4"):
                upload = gr.UploadButton(t("drop"), size="sm", file_count="single")
            with gr.Column(elem_id="action_bar"):
                notice = area("", "notice")
                filing = area("", "filing")
                price = area("", "price")
                generate = gr.Button(t("generate"), variant="primary", elem_id="generate")
        with gr.Column(elem_id="seeing"):
            shown = area(stage.empty(page, first), "stage")
            strip = area("", "takes")
    names = ("job", "offer", "prompt_original", "style_version", "project", "first_frame", "loras")
    job, offer, original, version, project, first_frame, loras = (_kept(name) for name in names)
    form: dict[str, Field] = {
        "prompt": prompt,
        "style": style,
        "size": size,
        "seconds": seconds,
        "quality": quality,
        "seed": seed,
        "model": model,
        "tier": tier,
        "loras": loras,
        **advanced,
        "prompt_original": original,
        "style_version": version,
        "project": project,
        "first_frame": first_frame,
    }
    told = {"notice": notice, "trouble": trouble, "model_note": note, "price": price, "tiles": tiles}
    made = Create(form=form, job=job, desk=desk, filing=filing, lora_list=lora_list, **told)
    _wire_form(made, dice=dice, reads=reads)
    _wire_ways(made, accordion=accordion)
    _wire_filling(made, upload=upload, tries=tries)
    _wire_picture(page, made, begins=begins)
    _wire_rewriting(page, made, offer=offer, below=improving)
    _wire_asking(made, generate=generate)
    follower = Follower(page, lambda: stage.empty(page, first))
    return made, _wire_stage(made, follower, shown=shown, strip=strip)


def _kept(name: str) -> gr.Textbox:
    """A box that nobody sees, for what the page has to remember."""
    return gr.Textbox("", elem_id=name, elem_classes="offstage", label=name, show_label=False)


def _advanced(page: Page) -> dict[str, Field]:
    """Everything with a derived default: empty means that default, which stands there in grey."""
    hints = fields.derived(
        page,
        page.studio.models()[0],
        style=None,
        quality=fields.DEFAULT_QUALITY,
        seconds=fields.default_length(page.studio.models()[0]),
    )
    return {
        name: gr.Textbox(
            label=page.field(name),
            info=page.t(f"why_{name}"),
            placeholder=hints[name],
            elem_id=name,
            max_lines=6,
            lines=2 if name == "negative_prompt" else 1,
            visible=name != "guidance_scale_2" or bool(hints[name]),
            html_attributes=gr.InputHTMLAttributes(autocomplete="off", spellcheck=name == "negative_prompt"),
        )
        for name in fields.ADVANCED
    }


def _examples(page: Page) -> str:
    """The examples as buttons, and what the sketch model can draw."""
    chips = "".join(
        button(example.prompt[page.language], "example", key=str(index), look="chip")
        for index, example in enumerate(examples())
    )
    words = sketch_words(page.language)
    listed = ""
    if words:
        joined = escape(("、" if page.language == "zh" else ", ").join(words))
        listed = (
            f'<details class="words"><summary>{escape(page.t("sketch_draws", count=len(words)))}</summary>'
        )
        listed += f"<p>{joined}</p></details>"
    return f'<div class="chips" aria-label="{escape(page.t("examples"))}">{chips}</div>{listed}'


def _wire_form(made: Create, *, dice: gr.Button, reads: gr.HTML) -> None:
    """What changes by itself while the form is filled in."""
    form, desk = made.form, made.desk

    def switch_model(model: str) -> dict[Any, Any]:
        return made.by_component(desk.switch_model(model))

    def hints(*dials: Any) -> dict[Any, Any]:
        return made.by_component(desk.hints(*dials))

    switched = form["model"].input(switch_model, form["model"], made.outputs(), **QUICK | LAST)
    dials = [form[name] for name in ("style", "style_version", "model", "quality", "seconds", "tier")]
    # Who picks a style by hand means the newest version of it; a recipe may name an older one.
    form["style"].input(None, None, form["style_version"], js="() => ''")
    hinted = [form[name] for name in fields.ADVANCED]
    gr.on(
        [form[name].input for name in ("style", "quality", "seconds", "tier")],
        hints,
        dials,
        hinted,
        **RAW | LAST,
    )
    switched.then(hints, dials, hinted, **RAW)
    costly = ("model", "size", "seconds", "quality", "num_inference_steps", "num_frames", "tier", "loras")
    # What another model costs is told before it can be asked for.
    form["model"].change(None, None, None, js="() => ways.priced('#generate', false)")
    told = gr.on(
        [form[k].change for k in costly], desk.price, None, made.price, inputs_kwargs={**form}, **RAW | LAST
    )
    told.then(None, None, None, js="() => ways.priced('#generate', true)")
    said = [form[name] for name in ("prompt", "negative_prompt", "style", "style_version", "model")]
    gr.on([box.change for box in said], desk.reads, said, reads, **RAW | LAST)
    # A sentence about what was wrong is done with once somebody changes something.
    gr.on([field.input for field in form.values()], None, None, made.told(), js="() => ['', '']")
    dice.click(None, None, form["seed"], js=f"() => String(Math.floor(Math.random() * {MAX_SEED}))")


def _wire_ways(made: Create, *, accordion: gr.Accordion) -> None:
    """Speed and LoRAs: what is here is looked up when somebody opens the part of the form they are in."""
    form, desk = made.form, made.desk
    seen = [form[name] for name in ("model", "tier", "loras")]

    def ways_now(model: str, tier: Any, loras: Any) -> dict[Any, Any]:
        return made.by_component(desk.ways_now(model, tier, loras))

    def switch_tier(tier: Any, model: str, size: Any) -> dict[Any, Any]:
        return made.by_component(desk.switch_tier(tier, model, size))

    accordion.expand(ways_now, seen, [form["tier"], made.lora_list], **RAW)
    asked = [form[name] for name in ("tier", "model", "size")]
    form["tier"].input(switch_tier, asked, [form["size"], form["quality"]], **RAW | LAST)


def _wire_filling(made: Create, *, upload: gr.UploadButton, tries: gr.HTML) -> None:
    """Examples, and films that bring their own recipe."""

    def restore(path: str | None) -> dict[Any, Any]:
        updates, notice = made.desk.restore(path)
        return made.by_component(updates) | {made.notice: notice}

    def example(event: gr.EventData) -> dict[Any, Any]:
        return made.by_component(made.desk.example(acted(event)[1]))

    upload.upload(restore, upload, [*made.outputs(), made.notice], **QUICK)
    tries.act(example, None, made.outputs(), **QUICK | EVERY)


def _wire_rewriting(page: Page, made: Create, *, offer: gr.Textbox, below: gr.HTML) -> None:
    """What the buttons below the prompt do; an offer goes once the prompt is another one."""
    hands = rewriting.Rewriting(page)
    prompt, original = made.form["prompt"], made.form["prompt_original"]
    boxes: dict[str, Any] = {
        "prompt": prompt,
        "prompt_original": original,
        "offer": offer,
        "rewriting": below,
    }

    async def act(event: gr.EventData, prompt: Any, original: Any, offer: Any) -> dict[Any, Any]:
        changed = await hands.act(event, prompt, original, offer)
        return {boxes[name]: value for name, value in changed.items()}

    # A model may think about it for half a minute: pressed again meanwhile, it is not asked again.
    pressed = below.act(act, [prompt, original, offer], [*boxes.values()], **QUICK)
    pressed.then(None, None, None, js="() => studio.answered('#rewriting')")
    prompt.change(None, [prompt, original, offer, below], [original, offer, below], js=rewriting.watch(page))


def _wire_picture(page: Page, made: Create, *, begins: gr.HTML) -> None:
    """The picture that the clip begins with: what its area asks for, and what it shows."""
    form = made.form
    seen = [form[name] for name in ("first_frame", "model", "size")]

    def act(event: gr.EventData, first_frame: Any, model: Any, size: Any) -> dict[Any, Any]:
        return made.by_component(made.desk.picture(event, first_frame, model, size))

    def draw(first_frame: Any, model: Any, size: Any) -> str:
        return picture.render(page, first_frame, model, size)

    pressed = begins.act(act, seen, made.outputs(), **RAW | EVERY)
    pressed.then(None, None, None, js="() => studio.answered('#first_picture')")
    gr.on([box.change for box in seen], draw, seen, begins, **RAW | LAST)


def _wire_asking(made: Create, *, generate: gr.Button) -> None:
    """The button returns at once with a job's id; following it is another event."""
    # A busy machine needs seconds: that it was heard is seen before it has answered.
    busy = "() => {{ document.querySelector('#generate').ariaBusy = '{}' }}"
    generate.click(None, None, None, js=busy.format("true"))
    asked = generate.click(
        made.desk.ask,
        None,
        [made.job, made.notice, made.trouble],
        inputs_kwargs={**made.form},
        api_name="generate",
        queue=False,
        show_progress="hidden",
        preprocess=False,
    )
    asked.then(None, None, None, js=busy.format("false"))
    asked.then(None, None, None, js="() => review.troubled()")
    asked.then(made.desk.price, None, made.price, inputs_kwargs={**made.form}, **RAW)


def _wire_stage(made: Create, follower: Follower, *, shown: gr.HTML, strip: gr.HTML) -> Dependency:
    """The stage follows the job in the box; its buttons change that box."""

    def act(event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        job, notice, updates = made.desk.act(event, request)
        return made.by_component(updates) | {made.job: job, made.notice: notice}

    made.job.change(None, made.job, None, js="(job) => studio.opened(job)")
    followed = made.job.change(
        follower.follow,
        made.job,
        shown,
        concurrency_limit=None,
        trigger_mode="multiple",
        show_progress="hidden",
        api_visibility="private",
    )
    made.job.change(made.desk.takes, made.job, strip, **QUICK)
    followed.then(made.desk.takes, made.job, strip, **QUICK)
    followed.then(made.desk.price, None, made.price, inputs_kwargs={**made.form}, **RAW)
    for pressed in (shown, strip):
        pressed.act(act, None, [*made.outputs(), made.job, made.notice], **QUICK | EVERY)
    return followed
