"""What a story is: the document that is saved as it is typed. Frozen; every edit makes a new one."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipelines.models import Quality
from studio.media.timeline import Format, Move, TransitionKind
from studio.text.characters import Character
from studio.text.fields import ShotFields
from studio.words import Language

MAX_SHOTS = 24
MAX_SHOT_TEXT = 1000

Level = Literal["animatic", "film"]
Corner = Literal["top_left", "top_right", "bottom_left", "bottom_right"]
Name = Annotated[str, Field(max_length=120)]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Document):
    """A shot's picture from elsewhere: a clip of the library or an uploaded file, trimmed.

    `place` is an asset id (kind "asset") or a path below the home (kind "upload"); `seconds` None: to its end.
    """

    kind: Literal["asset", "upload"]
    place: Annotated[str, Field(max_length=200)]
    title: Name = ""
    start: Annotated[float, Field(ge=0, le=600)] = 0.0
    seconds: Annotated[float | None, Field(gt=0, le=60)] = None


class Shot(_Document):
    """One shot. `text` is what the narrator reads and what is seen; `translation` the same in the other
    language, for subtitles.

    `prompt` None: assembled from fields, characters and style; a text: written by hand. `seconds` None: as
    long as the narration needs. `seed` None: of the story's family. `take` is the asset that the film uses.
    """

    id: str
    text: Annotated[str, Field(max_length=MAX_SHOT_TEXT)] = ""
    translation: Annotated[str, Field(max_length=MAX_SHOT_TEXT)] = ""
    title: Name = ""
    fields: ShotFields = ShotFields()
    prompt: Annotated[str | None, Field(max_length=2000)] = None
    characters: tuple[str, ...] = ()
    seconds: Annotated[float | None, Field(ge=1, le=30)] = None
    move: Move = "none"
    transition: TransitionKind | None = None
    seed: Annotated[int | None, Field(ge=0, le=2**31 - 1)] = None
    approved: bool = False
    take: str | None = None
    source: Source | None = None


class Look(_Document):
    """What holds for the whole film. Empty `model`: the studio's; `voice`: the first of the story's language.

    `seed` is the family that every shot's seed comes from; `music` a mood, or an uploaded file's place below
    the home; `logo` such a place. `height` is the frame's short side in pixels.
    """

    style: Name = "none"
    palette: Annotated[str, Field(max_length=200)] = ""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    model: Name = ""
    quality: Quality = "standard"
    format: Format = "16:9"
    height: Literal[480, 720, 1080] = 720
    fps: Literal[24, 30] = 24
    fps_mode: Literal["blend", "motion"] = "blend"
    transition: TransitionKind = "crossfade"
    transition_seconds: Annotated[float, Field(ge=0.2, le=2)] = 0.5
    narrate: bool = True
    voice: Name = ""
    voice_speed: Annotated[float, Field(ge=0.7, le=1.4)] = 1.0
    subtitles: tuple[Language, ...] = ()
    burn: bool = True
    music: Annotated[str, Field(max_length=200)] = ""
    music_volume: Annotated[float, Field(ge=-40, le=0)] = -16.0
    logo: Annotated[str, Field(max_length=200)] = ""
    logo_corner: Corner = "top_right"
    logo_opacity: Annotated[float, Field(ge=0.1, le=1)] = 0.9
    end_card: Annotated[str, Field(max_length=200)] = ""


class Story(_Document):
    """A story: the pasted text, its shots in order, its characters, and how the film shall be.

    `variables` are {names} that its texts hold, with what stands for them now (a child's name, a product).
    """

    version: Literal[1] = 1
    title: Name = ""
    language: Language = "zh"
    text: Annotated[str, Field(max_length=20_000)] = ""
    shots: Annotated[tuple[Shot, ...], Field(max_length=MAX_SHOTS)] = ()
    characters: Annotated[tuple[Character, ...], Field(max_length=24)] = ()
    variables: Annotated[dict[str, Annotated[str, Field(max_length=200)]], Field(max_length=20)] = {}
    look: Look = Look()

    def shot(self, shot_id: str) -> Shot | None:
        """The shot of that id."""
        return next((shot for shot in self.shots if shot.id == shot_id), None)
