"""What content credentials say, as a C2PA manifest has it: our facts into one, facts out of anybody's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pipelines.request import Notice
from studio import __version__
from studio.trust.aigc import Aigc
from studio.trust.certificate import Known

MADE = "org.wan-studio.made"
AIGC = "org.tc260.aigc"
"""The names of our own assertions."""

_SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
BY_MODEL = _SOURCES + "trainedAlgorithmicMedia"
COMPOSITE = _SOURCES + "compositeWithTrainedAlgorithmicMedia"
"""How a picture came about: all of it by a model, or put together with pictures of others."""

ExportKind = Literal["clip", "film", "h265", "vp9", "gif"]
State = Literal["valid", "valid_untrusted", "expired", "tampered", "absent", "unreadable"]

_BOUND = frozenset(("assertion.bmffHash.match", "assertion.dataHash.match", "assertion.boxesHash.match"))
_CHANGED = frozenset(code.replace("match", "mismatch") for code in _BOUND)
_SIGNED = frozenset(("signingCredential.trusted", "claimSignature.validated"))
_UNTRUSTED = "signingCredential.untrusted"
# What is wrong with a file whose certificate is merely over.
_OVER = frozenset((_UNTRUSTED, "signingCredential.expired", "claimSignature.outsideValidity"))
_MAX_TEXT = 200
_MAX_SHOWN = 500
_MAX_PARENTS = 5


@dataclass(frozen=True)
class Ingredient:
    """What an export was made from: a clip of a film, its music, the film of another format.

    `origin`: "studio" made here, "machine" made by a model elsewhere, "person" uploaded (nothing is claimed
    of it). `path` is its file where there is one: its own credentials, if any, come along.
    """

    title: str
    relation: Literal["parentOf", "componentOf"]
    origin: Literal["studio", "machine", "person"]
    path: Path | None = None
    detail: str = ""


@dataclass(frozen=True)
class Export:
    """A file that is to leave. `id` is its ProduceID, `codeword` the 64 bits of its fingerprint.

    `title` is what the file is called in its credentials; `created` has a time zone; `prompt_hash` is a
    SHA-256 in hex or empty; `parents` are what it was made from: clips and music of a film. `kind` "h265",
    "vp9" and "gif" are a film in another format: they have one parent that is parentOf.
    """

    id: str
    kind: ExportKind
    title: str
    model: str
    revision: str
    prompt_hash: str
    created: datetime
    codeword: int
    parents: tuple[Ingredient, ...] = ()


@dataclass(frozen=True)
class IngredientFound:
    """An ingredient as a file names it; `state` is what was found when it was put in. Untrusted text."""

    title: str
    relation: str
    state: State


@dataclass(frozen=True)
class Credentials:
    """What a file's credentials say.

    state     "valid" signed by a certificate that an operator configured; "valid_untrusted" unchanged since
              it was signed, but by whom is only claimed (a self-made certificate, or one of others);
              "expired" unchanged, its certificate is over; "tampered" changed after it was signed; "absent";
              "unreadable" no file of these formats, `notice` says why
    ours      signed by a certificate of this studio: proven, and then all that is said below is, too. Of a
              "tampered" file it means that only its content is another one now
    made      when, as its maker says (ISO); `stamped` when a time-stamp service saw it, or empty
    tail      the file must end in a box over all of it, or it is "tampered"

    Of a file that is not ours, every text here is one that anybody can sign.
    """

    state: State
    issuer: str = ""
    title: str = ""
    model: str = ""
    revision: str = ""
    prompt_hash: str = ""
    made: str = ""
    stamped: str = ""
    export_id: str = ""
    source_type: str = ""
    aigc: Mapping[str, Any] | None = None
    ingredients: tuple[IngredientFound, ...] = ()
    tail: bool = False
    ours: bool = False
    notice: Notice | None = None

    @property
    def unchanged(self) -> bool:
        """Whether the file is as it was when it was signed, by whomever."""
        return self.state in ("valid", "valid_untrusted", "expired")


def manifest_of(
    export: Export, aigc: Aigc, ingredients: Sequence[Ingredient], *, tail: bool
) -> dict[str, Any]:
    """The manifest's definition; ingredients with a file are added to it by their label (`label_of`).

    `ingredients` are the export's parents, as far as they can be read. `tail` promises that the file, or
    its sidecar, ends in a box over all of it (`studio.trust.tail`).
    """
    named = [
        {**ingredient_of(number, one), "format": "application/octet-stream", "instance_id": f"p{number}"}
        for number, one in enumerate(ingredients)
        if one.path is None
    ]
    made = {
        "exportId": export.id,
        "kind": export.kind,
        "model": export.model,
        "revision": export.revision,
        "promptSha256": export.prompt_hash,
        "tail": tail,
    }
    assertions = [
        ("c2pa.actions.v2", {"actions": _actions(export, ingredients)}),
        (MADE, made),
        (AIGC, asdict(aigc)),
    ]
    return {
        "claim_generator_info": [{"name": "Wan Studio", "version": __version__}],
        "title": export.title,
        "assertions": [{"label": label, "data": data, "created": True} for label, data in assertions],
        "ingredients": named,
    }


def ingredient_of(number: int, one: Ingredient) -> dict[str, Any]:
    """An ingredient's definition."""
    told = {"title": one.title, "label": label_of(number), "relationship": one.relation}
    return {**told, "description": one.detail} if one.detail else told


def label_of(number: int) -> str:
    """What actions call an ingredient."""
    return f"part{number}"


def told(found: Mapping[str, Any], known: Known) -> Credentials:
    """What the JSON of a reader says. It may be of anybody's file: nothing in it need be as it should."""
    manifests = _map(found.get("manifests"))
    active = _map(manifests.get(str(found.get("active_manifest"))))
    signature = _map(active.get("signature_info"))
    serial = str(signature.get("cert_serial_number"))
    results = _map(_map(found.get("validation_results")).get("activeManifest"))
    failed, passed = _codes(results.get("failure")), _codes(results.get("success"))
    trusted = serial in known.trusted or serial not in known.serials
    actions = [a for a in _list(_data(active, "c2pa.actions").get("actions")) if isinstance(a, dict)]
    first = actions[0] if actions else {}
    agent = first.get("softwareAgent")
    made = _data(active, MADE)
    parts = _list(active.get("ingredients"))[:_MAX_SHOWN]
    return Credentials(
        state=_state(str(found.get("validation_state")), failed, passed, trusted=trusted),
        issuer=_text(signature.get("issuer")),
        title=_text(active.get("title")),
        model=_text(made.get("model") or (agent.get("name") if isinstance(agent, dict) else agent)),
        revision=_text(made.get("revision")),
        prompt_hash=_text(made.get("promptSha256")),
        made=next((_text(a["when"]) for a in actions if a.get("when")), ""),
        stamped=_text(signature.get("time")),
        export_id=_text(made.get("exportId")),
        source_type=_source_type(manifests, active),
        aigc=_data(active, AIGC) or None,
        tail=made.get("tail") is True,
        ingredients=tuple(_ingredient(one) for one in parts if isinstance(one, dict)),
        # Only a chain to one of our own authorities makes the number of the certificate mean anything.
        ours=serial in known.serials and passed >= _SIGNED and failed <= _CHANGED,
    )


def _actions(export: Export, ingredients: Sequence[Ingredient]) -> list[dict[str, Any]]:
    when = export.created.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    by = {
        "when": when,
        "softwareAgent": {"name": f"Wan Studio, {export.model}", "version": export.revision or __version__},
    }
    parents = [label_of(i) for i, one in enumerate(ingredients) if one.relation == "parentOf"]
    if parents:
        opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": parents}}
        return [opened, {"action": "c2pa.transcoded", **by}]
    foreign = any(one.origin == "person" for one in ingredients)
    actions = [{"action": "c2pa.created", "digitalSourceType": COMPOSITE if foreign else BY_MODEL, **by}]
    for claimed in (True, False):
        labels = [label_of(i) for i, one in enumerate(ingredients) if (one.origin != "person") == claimed]
        source = {"digitalSourceType": BY_MODEL} if claimed else {}
        if labels:
            actions.append({"action": "c2pa.placed", "parameters": {"ingredientIds": labels}, **source})
    return actions


def _state(told: str, failed: frozenset[str], passed: frozenset[str], *, trusted: bool) -> State:
    if not passed & _BOUND:
        return "tampered"  # a manifest that is tied to no content says nothing about it
    if told == "Trusted" and not failed:
        return "valid" if trusted else "valid_untrusted"
    if told == "Valid" and failed <= {_UNTRUSTED}:
        return "valid_untrusted"
    return "expired" if failed and failed <= _OVER else "tampered"


def _source_type(manifests: Mapping[str, Any], active: Mapping[str, Any]) -> str:
    """How the picture came about; a film in another format came about as its parent did."""
    for _ in range(_MAX_PARENTS):
        actions = _data(active, "c2pa.actions").get("actions")
        first = _map(next(iter(_list(actions)), None))
        if first.get("digitalSourceType"):
            return _text(first["digitalSourceType"])
        parts = [_map(one) for one in _list(active.get("ingredients"))]
        parent = next((one for one in parts if one.get("relationship") == "parentOf"), {})
        active = _map(manifests.get(str(parent.get("active_manifest"))))
    return ""


def _ingredient(one: Mapping[str, Any]) -> IngredientFound:
    active = _map(_map(one.get("validation_results")).get("activeManifest"))
    failed = _codes(active.get("failure"))
    state: State = "absent"
    if one.get("active_manifest") or active:
        state = "valid" if not failed else "valid_untrusted"
        if failed - {_UNTRUSTED}:
            state = "expired" if failed <= _OVER else "tampered"
    return IngredientFound(_text(one.get("title")), _text(one.get("relationship")), state)


def _codes(entries: Any) -> frozenset[str]:
    return frozenset(str(entry.get("code")) for entry in _list(entries) if isinstance(entry, dict))


def _data(manifest: Mapping[str, Any], label: str) -> dict[str, Any]:
    """The data of the first assertion of that name, in whichever version."""
    for one in _list(manifest.get("assertions")):
        name = str(_map(one).get("label"))
        if name == label or name.startswith((f"{label}.v", f"{label}__")):
            return _map(_map(one).get("data"))
    return {}


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    """Text of others, short and printable."""
    return "".join(c for c in value[:_MAX_TEXT] if c.isprintable()) if isinstance(value, str) else ""
