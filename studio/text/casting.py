"""Proposing a story's characters: names, and protagonists who come back."""

import re
from collections import Counter
from collections.abc import Sequence

from studio.text.beings import beings, kind_of
from studio.text.characters import Character
from studio.text.english import is_plain_word
from studio.text.fields import ShotFields, fields_of
from studio.text.language import has_han
from studio.text.names import uses
from studio.text.naming import names_in
from studio.text.portraits import portrait
from studio.text.segmenter import is_name
from studio.text.terms import table, words
from studio.text.told import unquoted

MAX_PROPOSED = 12
# Who speaks, thinks or feels is somebody, be it a drop of water.
_ALIVE_ZH = r"(?:[^，。！？\s]{0,4})(?:说|问|喊|答|笑|哭|觉得|想|知道|听见|看见|高兴|难过|害怕|点头|摇头)"
_ALIVE_EN = (
    r"(?: \w+)? (?:said|says|asked|asks|whispered|whispers|thought|thinks|felt|feels|smiled|smiles|laughed"
    r"|laughs|cried|cries|wished|wishes|wanted|wants)\b"
)


def cast(text: str, shots: Sequence[str]) -> tuple[Character, ...]:
    """Propose at most MAX_PROPOSED characters, those seen in most shots first."""
    told = "\n".join(unquoted(shot) for shot in (shots or (text,)))
    names = names_in(text, told)
    fields: list[ShotFields] = []
    for shot in shots or (text,):
        fields.append(fields_of(shot, before=fields, names=names))
    seen = _seen(fields, names, told)
    wanted = [name for name, count in seen.most_common() if count > 1 or name in names]
    return _one_each([portrait(name, told) for name in wanted[:MAX_PROPOSED]])


def _seen(fields: Sequence[ShotFields], names: Sequence[str], told: str) -> Counter[str]:
    """How many shots show each being; a name in a phrase (Queen Cassiopeia) counts as the name."""
    crowds = words("names", "crowds", "zh") | words("names", "crowds", "en")
    seen: Counter[str] = Counter()
    for shot in fields:
        for subject in shot.subject:
            name = next((name for name in names if _holds(subject, name)), "") or _noun(subject, told)
            if name and name.lower() not in crowds:
                seen[name] += 1
    for name in names:
        if len(uses(told, name)) > 1:
            seen.setdefault(name, 1)
    for name in [name for name in seen if len(name) == 1 and has_han(name)]:
        # 鱼 is the 金鱼 that the story also speaks of.
        longer = [other for other in seen if other != name and other.endswith(name)]
        if len(longer) == 1:
            seen[longer[0]] += seen.pop(name)
    return seen


def _holds(subject: str, name: str) -> bool:
    if has_han(name):
        return name in subject
    return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", subject, re.IGNORECASE))


def _noun(subject: str, told: str) -> str:
    """The plain noun of a being in a subject, "" for a thing that neither speaks nor feels."""
    if has_han(subject):
        core = subject.rsplit("的", 1)[-1]
        if noun := next((core[k:] for k in range(max(1, len(core) - 1)) if core[k:] in beings("zh")), ""):
            return noun
        ends = core[-1] in table("nouns")["people"]["endings"].split() and kind_of(core) == "person"
        alive = core not in ("太阳", "月亮") and re.search(rf"{re.escape(core)}{_ALIVE_ZH}", told)
        return core if ends or alive or (len(core) < 4 and is_name(core)) else ""
    parts = subject.split()
    tails = [" ".join(parts[k:]).lower() for k in range(len(parts))]
    if noun := next((tail for tail in tails if tail in beings("en")), ""):
        return noun
    if re.search(rf"\b{re.escape(tails[-1])}{_ALIVE_EN}", told, re.IGNORECASE):
        return tails[-1]
    return "" if kind_of(subject) == "thing" or is_plain_word(tails[-1]) else subject


def _one_each(found: list[Character]) -> tuple[Character, ...]:
    """Drop a noun that is another character's alias or part of its name."""
    kept: list[Character] = []
    for one in found:
        inside = any(
            one.name != other.name and one.name in other.name for other in found if has_han(one.name)
        )
        inside = inside or any(
            one.name.lower() != other.name.lower()
            and (one.name in (*other.aliases, other.looks) or one.name.lower() in other.name.lower().split())
            for other in found
        )
        if not inside:
            kept.append(one)
    return tuple(kept)
