"""What a film of a story is made from: which takes are made, which are shown again, how long all stands."""

from collections import Counter

import pytest

from pipelines.models import MODELS
from pipelines.request import GenerationRequest
from studio.story.edit import edit
from studio.story.film_plan import FilmPlan, key_of, read_plan
from studio.story.plan import ChosenTake, make_plan, notices_of, shot_requests, size_for
from studio.story.problems import StoryProblem
from studio.story.shot_edits import with_source
from studio.story.types import Level, Look, Source, Story
from tests.story.kit import TEXTS, shot_of, story_of

WAN = "wan2.2-t2v-a14b"
LONG = "夜晚，一只小船在海上慢慢向右航行，月光照着海面。" * 2


def planned(story: Story, level: Level = "film", **more: object) -> FilmPlan:
    return make_plan(story, level, story_id="s", default_model="sketch", **more)


def keys(plan: FilmPlan) -> list[list[str]]:
    return [[key_of(request) for request in shot.requests] for shot in plan.shots]


def all_keys(story: Story, level: Level) -> set[str]:
    return {
        key_of(request) for shot in story.shots for request in shot_requests(story, shot, level, "sketch")
    }


def done(story: Story) -> Story:
    return edit(story, "approve_all")


def test_changing_one_word_of_shot_3_renders_only_shot_3() -> None:
    story = done(story_of())
    for level in ("animatic", "film"):
        before = keys(planned(story, level))
        changed = edit(story, "update_shot", shot_id="shot3", text="夜晚，一只大船在海上航行。")
        after = keys(planned(changed, level, have={key for shot in before for key in shot}))
        assert [a == b for a, b in zip(before, after, strict=True)] == [True, True, False, True]


def test_takes_of_other_weights_are_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = all_keys(done(story_of()), "film")
    later = {**MODELS, "sketch": MODELS["sketch"].model_copy(update={"revision": "of another day"})}
    monkeypatch.setattr("studio.story.film_plan.MODELS", later)
    assert not before & all_keys(done(story_of()), "film")


def test_what_the_pixels_do_not_depend_on_changes_no_take() -> None:
    story = done(story_of())
    before = keys(planned(story))
    for name, values in (
        ("set_title", {"title": "x"}),
        ("update_shot", {"shot_id": "shot2", "translation": "A dragon.", "transition": "push", "title": "x"}),
        (
            "update_look",
            {"music": "calm", "voice": "zm_yunxi", "voice_speed": 1.1, "subtitles": ("zh", "en")},
        ),
        ("update_look", {"transition": "cut", "fps": 30, "end_card": "The end", "burn": False}),
        ("move_shot", {"shot_id": "shot4", "to": 0}),
    ):
        after = keys(planned(done(edit(story, name, **values))))
        assert sorted(after) == sorted(before), name


def test_the_style_is_in_every_prompt_and_seeds_are_of_one_family() -> None:
    story = done(edit(story_of(), "update_look", style="ink", palette="青绿", seed=100))
    requests = planned(story).requests()
    assert all("水墨" in request.prompt and "青绿" in request.prompt for request in requests)
    assert len({request.seed for request in requests}) == len(requests)
    again = done(edit(story_of(), "update_look", style="ink", palette="青绿", seed=100))
    assert planned(again) == planned(story)
    other = done(edit(story, "update_look", seed=101))
    assert all(
        (b.seed - a.seed) % 2**31 == 1 for a, b in zip(requests, planned(other).requests(), strict=True)
    )
    own = done(edit(story, "update_shot", shot_id="shot1", seed=9))
    assert planned(own).requests()[0].seed == 9


def test_an_animatic_is_the_sketch_models_draft_and_a_film_the_chosen_models_quality() -> None:
    story = done(edit(story_of(), "update_look", model=WAN, quality="final", height=1080))
    draft, film = planned(story, "animatic"), planned(story, "film")
    sketch = MODELS["sketch"].sampling["draft"].num_inference_steps
    assert {(r.model, r.num_inference_steps) for r in draft.requests()} == {("sketch", sketch)}
    assert {(r.model, r.num_inference_steps) for r in film.requests()} == {(WAN, 40)}
    assert (draft.height, film.height) == (480, 1080)
    assert film.level == "film"


@pytest.mark.parametrize(
    ("model", "quality", "format", "height", "size"),
    [
        ("sketch", "draft", "16:9", 720, (320, 192)),
        ("sketch", "final", "9:16", 720, (192, 320)),
        ("sketch", "standard", "1:1", 720, (256, 256)),
        (WAN, "draft", "16:9", 1080, (832, 480)),
        (WAN, "standard", "16:9", 480, (832, 480)),
        (WAN, "standard", "16:9", 720, (1280, 720)),
        (WAN, "final", "9:16", 480, (720, 1280)),
        (WAN, "final", "1:1", 720, (960, 960)),
        ("wan2.2-ti2v-5b", "final", "16:9", 720, (1280, 704)),
        ("wan2.1-t2v-1.3b", "final", "16:9", 1080, (832, 480)),
    ],
)
def test_the_size_is_the_models_nearest_to_the_format(
    model: str, quality: str, format: str, height: int, size: tuple[int, int]
) -> None:
    look = Look(format=format, height=height)  # type: ignore[arg-type]
    assert tuple(size_for(MODELS[model], look, quality)) == size  # type: ignore[arg-type]


def test_every_request_of_every_model_quality_and_format_is_legal() -> None:
    for model in MODELS:
        for quality in ("draft", "standard", "final"):
            for format in ("16:9", "9:16", "1:1"):
                story = done(edit(story_of(), "update_look", model=model, quality=quality, format=format))
                for request in planned(story).requests():
                    assert GenerationRequest(**request.model_dump()) == request


def test_only_approved_or_changed_shots_are_made_at_full_quality() -> None:
    story = story_of()
    drafts = all_keys(story, "animatic")
    with pytest.raises(StoryProblem, match="none_approved"):
        planned(story, have=drafts)
    story = edit(story, "approve", shot_id="shot2")
    full = all_keys(story, "film")
    found = keys(planned(story, have=drafts))
    assert [set(shot) <= full for shot in found] == [False, True, False, False]
    assert [set(shot) <= drafts for shot in found] == [True, False, True, True]
    changed = edit(story, "update_shot", shot_id="shot4", text="雪原上，一匹马奔跑。")
    found = keys(planned(changed, have=drafts))
    assert [set(shot) <= drafts for shot in found] == [True, False, True, False]


def test_an_animatic_shows_full_takes_that_are_there_already() -> None:
    story = story_of()
    full = keys(planned(done(story)))
    found = keys(planned(story, "animatic", have=set(full[0])))
    assert found[0] == full[0]
    assert found[1] != full[1]


def test_the_chosen_take_is_used_and_gives_its_seed_to_better_ones() -> None:
    story = edit(story_of(), "choose_take", shot_id="shot1", asset_id="a1", seed=77)
    draft = shot_requests(story_of(), shot_of(story, 1), "animatic", "sketch")[0]
    chosen = {"shot1": ChosenTake(draft.model_copy(update={"seed": 77}), "animatic")}
    assert planned(story, "animatic", chosen=chosen).shots[0].requests == (chosen["shot1"].request,)
    film = planned(done(story), chosen=chosen).shots[0].requests[0]
    assert (film.seed, film.num_inference_steps) == (77, 16)
    finished = {"shot1": ChosenTake(film.model_copy(update={"prompt": "an older one"}), "film")}
    assert planned(done(story), chosen=finished).shots[0].requests[0].prompt == "an older one"


def test_a_voice_longer_than_the_slowed_clip_asks_for_one_more_take_and_never_for_two() -> None:
    story = done(story_of(TEXTS[0], LONG, LONG * 3))
    plan = planned(story)
    assert [len(shot.requests) for shot in plan.shots] == [1, 2, 2]
    first, second = plan.shots[1].requests
    assert second == first.model_copy(update={"seed": first.seed + 1})
    assert first.num_frames == MODELS["sketch"].max_frames
    codes = [[notice.code for notice in notices_of(story, shot, "sketch")] for shot in story.shots]
    assert codes == [[], [], ["shot_voice_long"]]
    silent = edit(story, "update_look", narrate=False)
    assert [len(shot.requests) for shot in planned(done(silent)).shots] == [1, 1, 1]


def test_a_clip_is_as_long_as_its_narration_or_as_it_is_set() -> None:
    story = done(edit(story_of(TEXTS[0], "鹿。", ""), "update_shot", shot_id="shot3", prompt="一只鹿"))
    story = edit(story, "add_shot", after="shot3", text="鹿跑了。")
    story = done(edit(story, "update_shot", shot_id=story.shots[3].id, seconds=4.9))
    frames = [shot.requests[0].num_frames for shot in planned(story).shots]
    assert frames[1] == MODELS["sketch"].min_frames
    assert frames[2] == MODELS["sketch"].default_frames
    assert frames[3] == MODELS["sketch"].max_frames
    assert frames[1] < frames[0] <= frames[3]
    assert planned(story).shots[3].seconds == 4.9


def test_a_length_that_no_takes_can_show_is_shortened_where_nobody_speaks() -> None:
    story = done(
        edit(story_of("", language="en"), "update_shot", shot_id="shot1", prompt="a deer", seconds=30)
    )
    shot = planned(story).shots[0]
    assert len(shot.requests) == 2
    assert shot.seconds <= 2 * 5.2 / 0.8


def test_subtitles_hold_what_is_said_and_its_translation() -> None:
    story = edit(story_of(), "update_shot", shot_id="shot2", translation=" A dragon. ")
    shots = planned(done(story)).shots
    assert shots[1].captions == {"zh": TEXTS[1], "en": "A dragon."}
    assert shots[0].captions == {"zh": TEXTS[0]}


def test_chapters_are_the_shots_titles_or_their_first_words() -> None:
    story = done(story_of())
    assert [shot.title for shot in planned(story).shots] == list(TEXTS)
    titled = done(edit(story, "update_shot", shot_id="shot1", title="森林"))
    assert [shot.title for shot in planned(titled).shots] == ["森林", "", "", ""]


def test_a_shot_may_show_a_file_instead() -> None:
    story = with_source(story_of(), "shot2", Source(kind="asset", place="a1", start=1, seconds=3))
    story = with_source(story, "shot3", Source(kind="upload", place="stories/s/x.mp4"))
    plan = planned(done(story), places={"a1": "media/a1.mp4"})
    second, third = plan.shots[1:3]
    assert second.requests == third.requests == ()
    assert second.source
    assert (second.source.path, second.source.start) == ("media/a1.mp4", 1)
    assert third.source
    assert third.source.path == "stories/s/x.mp4"
    with pytest.raises(StoryProblem, match="shot_source_gone"):
        planned(done(story))


def test_a_film_of_files_only_needs_no_approval() -> None:
    story = with_source(story_of("鹿。"), "shot1", Source(kind="upload", place="stories/s/x.mp4"))
    assert planned(story).requests() == []


@pytest.mark.parametrize(
    ("story", "code"),
    [
        (Story(), "story_no_shots"),
        (story_of("鹿。", ""), "shot_empty"),
        (story_of("{hero}走进森林。"), "variable_unset"),
    ],
)
def test_what_cannot_be_filmed_is_said(story: Story, code: str) -> None:
    with pytest.raises(StoryProblem, match=code):
        planned(story, "animatic")


def test_rows_share_the_takes_that_do_not_depend_on_them() -> None:
    story = done(story_of("{hero}走进森林。", "一只鹿站在雪地里。", "{hero}笑了。"))
    films = [
        planned(story.model_copy(update={"variables": {"hero": name}})) for name in ("小雨", "Anna", "小明")
    ]
    used = Counter(key for film in films for shot in keys(film) for key in shot)
    assert sorted(used.values()) == [1] * 6 + [3]
    assert [film.shots[0].narration for film in films] == [
        "小雨走进森林。",
        "Anna走进森林。",
        "小明走进森林。",
    ]


def test_a_plan_comes_back_from_its_row_as_it_was() -> None:
    plan = planned(done(story_of()))
    assert read_plan(plan.model_dump(mode="json")) == plan


def test_the_longest_prompt_still_leaves_room_for_the_style() -> None:
    story = edit(story_of(), "update_shot", shot_id="shot1", prompt="夜晚的海，" * 399)
    for style in ("none", "ink", "neon"):
        styled = done(edit(story, "update_look", style=style, palette="青绿" * 50))
        assert len(planned(styled).shots[0].requests[0].prompt) <= 2000
