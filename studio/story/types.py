"""What a story is: the document that is saved as it is typed. Frozen; every edit makes a new one."""

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from pipelines.models import Quality
from studio.media.label import Corner
from studio.media.timeline import Format, Move, TransitionKind
from studio.styles import Style
from studio.text.characters import Character
from studio.text.fields import ShotFields
from studio.words import Language

MAX_SHOTS = 24
MAX_SHOT_TEXT = 1000
MAX_SOURCE_SECONDS = 60.0

Level = Literal["animatic", "film"]


def _plain(text: str) -> str:
    # Cc: control characters; Cs: lone surrogates, which no database or tokenizer takes.
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t\r" for c in text):
        raise PydanticCustomError("text_control", "text_control")
    return text


Text = Annotated[str, AfterValidator(_plain)]
Name = Annotated[Text, Field(max_length=120)]
ShotText = Annotated[Text, Field(max_length=MAX_SHOT_TEXT)]
ShotId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,24}$")]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Document):
    """A shot's picture from elsewhere: a clip of the library or an uploaded file, trimmed.

    `place` is an asset id (kind "asset") or a path below the home ("upload"); `seconds` None: to its end.
    """

    kind: Literal["asset", "upload"]
    place: Annotated[Text, Field(max_length=200)]
    title: Name = ""
    start: Annotated[float, Field(ge=0, le=600)] = 0.0
    seconds: Annotated[float | None, Field(gt=0, le=MAX_SOURCE_SECONDS)] = None


class Shot(_Document):
    """One shot. `text` is what the narrator reads and what is seen; `translation` the same in the other
    language, for subtitles.

    `origin` is the text as it was cut from the story, `around` what stood over it there and is not read out:
    a scene's heading, a camera label, a line on style. `edited` names what was changed by hand and is not
    found anew when the text changes: fields of ShotFields, and "characters".
    `prompt` None: assembled from fields, characters and style; a text: written by hand, or rewritten from
    `original`, which is kept beside it. `seconds` None: as long as the narration needs. `seed` None: of the
    story's family. `take` is the asset that the film uses. `continues`: it goes on from the shot before, for
    models that can begin with a picture.
    """

    id: ShotId
    text: ShotText = ""
    translation: ShotText = ""
    origin: ShotText = ""
    around: ShotText = ""
    title: Name = ""
    fields: ShotFields = ShotFields()
    edited: Annotated[tuple[Name, ...], Field(max_length=12)] = ()
    prompt: Annotated[Text | None, Field(max_length=2000)] = None
    original: Annotated[Text | None, Field(max_length=2000)] = None
    characters: Annotated[tuple[Name, ...], Field(max_length=24)] = ()
    seconds: Annotated[float | None, Field(ge=1, le=30)] = None
    continues: bool = False
    move: Move = "none"
    transition: TransitionKind | None = None
    seed: Annotated[int | None, Field(ge=0, le=2**31 - 1)] = None
    approved: bool = False
    take: Annotated[str | None, Field(max_length=64)] = None
    source: Source | None = None


class Look(_Document):
    """What holds for the whole film. Empty `model`: the studio's; `voice`: the first of the story's language.

    `seed` is the family that every shot's seed comes from; `music` a mood, or an uploaded file's place below
    the home, `music_name` what that file was called; `logo` such a place. `height` is the frame's short side
    in pixels, `project` the id of the one that its films are kept in. `own_style` is the style itself where
    it is none of the shipped ones, as it was when chosen. `networks`: the studio's make its films larger and
    smoother where it has any.
    """

    style: Name = "none"
    own_style: Style | None = None
    palette: Annotated[Text, Field(max_length=200)] = ""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    model: Name = ""
    quality: Quality = "standard"
    format: Format = "16:9"
    height: Literal[480, 720, 1080, 2160] = 720
    fps: Literal[24, 30] = 24
    fps_mode: Literal["blend", "motion"] = "blend"
    networks: bool = True
    transition: TransitionKind = "crossfade"
    transition_seconds: Annotated[float, Field(ge=0.2, le=2)] = 0.5
    narrate: bool = True
    voice: Name = ""
    voice_speed: Annotated[float, Field(ge=0.7, le=1.4)] = 1.0
    subtitles: Annotated[tuple[Language, ...], Field(max_length=2)] = ()
    burn: bool = True
    music: Annotated[Text, Field(max_length=200)] = ""
    music_name: Name = ""
    music_volume: Annotated[float, Field(ge=-40, le=0)] = -16.0
    logo: Annotated[Text, Field(max_length=200)] = ""
    logo_corner: Corner = "top_right"
    logo_opacity: Annotated[float, Field(ge=0.1, le=1)] = 0.9
    end_card: Annotated[Text, Field(max_length=200)] = ""
    project: Name = ""


class Story(_Document):
    """A story: the pasted text, its shots in order, its characters, and how the film shall be.

    `found_title` is what its text gave it; while `title` is the same, another text gives another one.

    `variables` are {names} that its texts hold, with what stands for them now (a child's name, a product).
    """

    version: Literal[1] = 1
    title: Name = ""
    found_title: Name = ""
    language: Language = "zh"
    text: Annotated[Text, Field(max_length=20_000)] = ""
    shots: Annotated[tuple[Shot, ...], Field(max_length=MAX_SHOTS)] = ()
    characters: Annotated[tuple[Character, ...], Field(max_length=24)] = ()
    variables: Annotated[dict[Name, Annotated[Text, Field(max_length=200)]], Field(max_length=20)] = {}
    look: Look = Look()

    def shot(self, shot_id: str) -> Shot | None:
        """The shot of that id."""
        return next((shot for shot in self.shots if shot.id == shot_id), None)
