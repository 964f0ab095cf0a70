"""The one gate for files that leave: they are marked, checked, sealed and registered here.

`Exporter.begin` gives a file its number and codeword before it is written; `Exporter.finish` checks and seals
what was written. What `Finished` holds can't be had any other way, and nothing is published without it.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from pipelines.request import Notice
from studio.db import reading, utc_now
from studio.library import Asset, Standing, places
from studio.library.projects import rules_in
from studio.media.clip import ClipFacts
from studio.media.label import LabelStyle
from studio.rows import Job
from studio.settings import Settings
from studio.trust import exports, ledger, policy
from studio.trust.aigc import Aigc, aigc_of, into_comment, tags_of
from studio.trust.exports import Registered
from studio.trust.policy import Policy

if TYPE_CHECKING:
    from studio.trust.credentials import Ingredient
    from studio.trust.manifests import ExportKind
    from studio.trust.seal import Sealed

Bytes = NDArray[np.uint8]
_MAX_TITLE = 80


@dataclass(frozen=True)
class Begun:
    """A file that is about to be written. `label` and `tags` go into it, `codeword` names it for good."""

    id: str
    kind: "ExportKind"
    codeword: int
    label: LabelStyle
    aigc: Aigc
    rules: Policy
    key: bytes = field(repr=False)
    mark_key: bytes = field(repr=False)

    @property
    def tags(self) -> dict[str, str]:
        """What the encoder writes beside the comment."""
        return tags_of(self.aigc)

    def comment(self, recipe: str) -> str:
        """The file's comment: the recipe, and the metadata label once more."""
        return into_comment(recipe, self.aigc)

    def mark_frames(self) -> Callable[[Bytes], None]:
        """What marks the RGB frames of a clip, one after the other."""
        from studio.trust.mark import Marker

        marker: Marker | None = None

        def mark(frame: Bytes) -> None:
            nonlocal marker
            height, width = frame.shape[:2]
            marker = marker or Marker(self.codeword, self.mark_key, width, height)
            marker.rgb(frame)

        return mark

    def mark_planes(self) -> Callable[[Bytes, Bytes, Bytes], None]:
        """What marks the frames of a film, given as the planes u, v and y."""
        from studio.trust.mark import Marker

        marker: Marker | None = None

        def mark(u: Bytes, v: Bytes, y: Bytes) -> None:
            nonlocal marker
            height, width = y.shape
            marker = marker or Marker(self.codeword, self.mark_key, width, height)
            marker.planes(u, v, y)

        return mark


@dataclass(frozen=True)
class Finished:
    """A sealed file and all that is known of it: how it may stand, and why it does not stand open."""

    begun: Begun
    sealed: "Sealed"
    hashes: bytes
    standing: Standing
    reasons: tuple[Notice, ...] = ()
    checked: Mapping[str, Any] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        """What an asset's row takes from it."""
        return {
            "bytes": self.sealed.bytes,
            "sha256": self.sealed.sha256,
            "standing": self.standing,
            "label": asdict(self.begun.label),
            "reasons": self.reasons,
        }

    def asset(self, job: Job, facts: ClipFacts, *, fps: int, took: float, **more: Any) -> Asset:
        """The row of what a job made: where it will lie, and how it may stand.

        `facts` are the file's, `took` the seconds of its making. `more` is what it is: its request or plan,
        title, kind, model (the job's if it is not given) and the model's revision.
        """
        place, still = places(self.begun.id, ".webp", blocked=self.standing == "blocked")
        of_the_job = {"model": job.model, "model_revision": "", "request": None}
        return Asset(
            id=self.begun.id,
            job_id=job.id,
            owner=job.owner,
            path=place,
            thumbnail=still,
            form=job.form,
            width=facts.width,
            height=facts.height,
            seconds=facts.seconds,
            fps=fps,
            frames=facts.frames,
            render_seconds=took,
            created=utc_now(),
            **self.facts,
            **of_the_job | more,
        )

    def keep(self, connection: Connection, asset: Asset) -> None:
        """Enter it into register and ledger, within the transaction that publishes it."""
        begun = self.begun
        exports.register(
            connection,
            Registered(
                id=begun.id,
                asset_id=asset.id,
                job_id=asset.job_id,
                owner=asset.owner,
                kind=begun.kind,
                codeword=begun.codeword,
                hashes=self.hashes,
                sha256=self.sealed.sha256,
                label=asdict(begun.label),
                created=utc_now(),
            ),
        )
        if begun.kind in ("clip", "film"):
            codes = [reason.code for reason in self.reasons]
            facts = {"standing": self.standing, "reasons": codes, **self.checked}
            ledger.append(connection, "checked", asset.id, key=begun.key, facts=facts)
        facts = {"kind": begun.kind, "asset": asset.id, "sha256": self.sealed.sha256}
        ledger.append(connection, "exported", begun.id, key=begun.key, facts=facts)


class Exporter:
    """Opens and closes the gate, by the rules of now."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._engine = settings, engine

    @cached_property
    def key(self) -> bytes:
        """The studio's secret: labels, fingerprints and the ledger are made with it."""
        return self._settings.sealing_key()

    @cached_property
    def mark_key(self) -> bytes:
        """What fingerprints are spread by."""
        from studio.trust.carriers import key_from

        return key_from(self.key)

    def begin(
        self,
        export_id: str,
        kind: "ExportKind",
        *,
        codeword: int | None = None,
        label: LabelStyle | None = None,
        project: object = None,
    ) -> Begun:
        """A new file: `export_id` is its number for ever, at most 40 characters.

        `codeword` and `label` are those of pictures that are handed on as they are (another format of a
        film); new ones are marked with a codeword of their own and labelled by the rules. `project` is the
        id of the one it is made in, which may have a rule of its own for publishing.
        """
        from studio.trust.mark import new_codeword

        with reading(self._engine) as connection:
            rules = rules_in(connection, policy.current(connection), project)
        aigc = aigc_of(export_id, producer=self._settings.aigc_producer, key=self.key)
        label = label or rules.label.style(self._settings.label_text)
        codeword = new_codeword() if codeword is None else codeword
        return Begun(export_id, kind, codeword, label, aigc, rules, self.key, self.mark_key)

    def finish(
        self,
        begun: Begun,
        path: Path,
        *,
        model: str,
        revision: str,
        prompt: str,
        title: str = "",
        ingredients: "Sequence[Ingredient]" = (),
        draft: bool = False,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Finished:
        """Check the pictures of a written file, seal it, take its hashes.

        `prompt` is only hashed. `draft`: a story's take, which waits for its film and not for a review of its
        own. Raises SealError or MediaError: then the file must not be published, and can't be.
        """
        from studio.trust.certificate import certificate_for, known_certificates
        from studio.trust.likeness import hashes_of, to_bytes
        from studio.trust.manifests import Export
        from studio.trust.seal import seal

        standing: Standing = "public"
        reasons: tuple[Notice, ...] = ()
        checked: Mapping[str, Any] = {}
        if begun.kind in ("clip", "film"):
            standing, reasons, checked = self._looked_at(begun, path, draft=draft, should_stop=should_stop)
        export = Export(
            id=begun.id,
            kind=begun.kind,
            codeword=begun.codeword,
            model=model,
            revision=revision,
            prompt_hash=hashlib.sha256(prompt.encode()).hexdigest(),
            created=utc_now(),
            title=title[:_MAX_TITLE],
            parents=tuple(ingredients),
        )
        hashes = to_bytes(hashes_of(path))
        sealed = seal(
            path,
            export=export,
            # The new one, too, is among those that are known afterwards.
            certificate=certificate_for(self._settings),
            known=known_certificates(self._settings),
            producer=self._settings.aigc_producer,
            key=self.key,
        )
        return Finished(begun, sealed, hashes, standing, reasons, checked)

    def _looked_at(
        self, begun: Begun, path: Path, *, draft: bool, should_stop: Callable[[], bool]
    ) -> tuple[Standing, tuple[Notice, ...], dict[str, Any]]:
        """How a clip or film may stand, why not open, and for the ledger who looked for what."""
        from studio.trust.pictures import check_pictures, checkers

        rules = begun.rules
        found = check_pictures(
            path,
            checkers=checkers(self._settings),
            outcomes=rules.pictures,
            when_down=rules.when_down,
            should_stop=should_stop,
        )
        facts = {
            "by": list(found.by),
            "unchecked": list(found.unchecked),
            "scores": {name: round(score, 3) for name, score in found.scores.items()},
            "problems": [problem.code for problem in found.problems],
        }
        seen = tuple(one.notice for one in found.findings if one.outcome == found.outcome)
        if found.outcome == "block":
            return "blocked", seen, facts
        if found.outcome == "hold":
            return "held", seen or found.problems, facts
        if rules.publish == "after_review":
            return ("draft", (), facts) if draft else ("held", (Notice("held_review"),), facts)
        return "public", (), facts
