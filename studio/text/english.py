"""English words with their parts of speech. The tagger comes with the English voice; our lists correct it."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from studio.text.terms import table, words

_TOKEN = re.compile(
    r"(?:Mr|Mrs|Ms|Dr|St|Prof)\.|\b[ap]\.m\.|\d+(?:[:.,]\d+)*(?:st|nd|rd|th|s|%)?"
    r"|[^\W\d_]+(?:[-'’][^\W\d_]+)*|[^\w\s]",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"(?=['’](?:s|re|ve|ll|d|m)$)|(?=n['’]t$)", re.IGNORECASE)
# fmt: off
_AFTER_VERB = (
    "IN", "TO", "RP", "RB", "DT", "PRP", "PRP$", ".", ",", "CC", "JJ", "VBG", "VBN", "CD", "NNP", ":",
)
# fmt: on
_DOUBLING = re.compile(r"[aeiou][bdgmnprt]$")


@dataclass(frozen=True)
class Token:
    """text[start:end] with its Penn Treebank tag; `lemma`: the base form of a verb, else the word itself."""

    text: str
    tag: str
    start: int
    end: int
    lemma: str

    @property
    def low(self) -> str:
        return self.text.lower()


@cache
def _tagger() -> Any:
    from hibari.g2p import _load_json
    from hibari.g2p.tagger import Tagger

    return Tagger(_load_json("tagger.json.gz"))


@cache
def verb_forms() -> dict[str, str]:
    """Every form of every listed English verb, to its base form."""
    forms: dict[str, str] = {}
    for base in words("verbs", "seen", "en") | words("verbs", "unseen", "en"):
        if " " in base:
            continue
        stem = base[:-1] if base.endswith("e") and not base.endswith(("ee", "oe", "ye")) else base
        double = (
            base + base[-1]
            if _DOUBLING.search(base) and not re.search(r"[aeiou]{2}.$|(?:er|en|on|el)$", base)
            else stem
        )
        soft = base[:-1] + "i" if base.endswith("y") and base[-2] not in "aeiou" else None
        for form in (
            base,
            base + "s",
            base + "es" if re.search(r"(?:s|x|z|ch|sh|o)$", base) else "",
            stem + "ing",
            double + "ing",
            stem + "ed",
            double + "ed",
        ):
            forms.setdefault(form, base)
        if soft:
            forms.update({soft + "es": base, soft + "ed": base})
    for line in re.split(r"[;\n]+", table("verbs")["irregular"]["en"]):
        listed = line.split()
        forms.update(dict.fromkeys(listed, listed[0] if listed else ""))
    forms.pop("", None)
    return forms


def tokens_of(text: str) -> list[Token]:
    """Words and signs of an English text, tagged; words wholly in capitals are read in small letters."""
    spans: list[tuple[int, int]] = []
    for match in _TOKEN.finditer(text):
        at = match.start()
        for part in _SPLIT.split(match.group()):
            if part:
                spans.append((at, at + len(part)))
            at += len(part)
    raw = [text[a:b].replace("’", "'") for a, b in spans]
    shown = [w.lower() if w.isupper() and len(w) > 1 else w for w in raw]
    tags = _tagger()(shown) if shown else []
    tokens = [
        Token(text[a:b], tag, a, b, verb_forms().get(word.lower(), word.lower()))
        for (a, b), word, tag in zip(spans, raw, tags, strict=True)
    ]
    return _corrected(tokens)


def _corrected(tokens: list[Token]) -> list[Token]:
    """What the tagger tends to take wrongly in plain narration: verbs in -s read as plural nouns."""
    found: list[Token] = []
    finite = False
    for i, token in enumerate(tokens):
        before = found[-1] if found else None
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        tag = token.tag
        verb = token.low in verb_forms()
        if token.text in ".;:!?—," or tag == "CC":
            finite = False
        if (
            tag in ("NNS", "NNP")
            and verb
            and token.low.endswith("s")
            and before
            and _may_follow_subject(before, found, finite)
            and _may_follow_verb(after)
        ) or (
            tag in ("NNS", "NN")
            and verb
            and token.low.endswith("s")
            and before
            and before.tag == "JJ"
            and not finite
            and after
            and after.tag in ("DT", "PRP$", "PRP")
        ):
            tag = "VBZ"
        elif (
            tag in ("VBN", "JJ", "NN")
            and verb
            and (tag == "VBN" or token.lemma != token.low)
            and not token.low.endswith("ing")
            and before
            and before.tag in ("NN", "NNS", "NNP", "NNPS", "PRP", "WDT")
            and not finite
            and not _is_participle(found)
            and not any(token.low == "with" for token in found[-4:])
            and not _finite_ahead(tokens, i + 1)
            and (
                tag == "VBN"
                or after is None
                or after.tag in ("IN", "RB", "RP", "DT", "PRP$", ".", ",", "CC", "TO")
            )
        ):
            tag = "VBD"
        elif (
            tag in ("NN", "JJ", "NNP")
            and verb
            and before
            and before.tag in ("PRP", "EX", "MD", "TO")
            and before.low not in ("her", "it", "him", "them")
        ):
            tag = "VBP" if before.tag == "PRP" else "VB"
        finite = finite or tag in ("VBD", "VBZ", "VBP", "MD")
        found.append(Token(token.text, tag, token.start, token.end, token.lemma))
    return found


def _finite_ahead(tokens: list[Token], i: int) -> bool:
    for token in tokens[i:]:
        if token.text in ".,;:!?—" or token.tag == "CC":
            return False
        if token.tag in ("VBD", "VBZ", "VBP", "MD"):
            return True
    return False


def _may_follow_subject(before: Token, found: list[Token], finite: bool) -> bool:
    if before.tag in ("NN", "NNP", "PRP", "NNS") and not finite:
        return before.tag != "NNS" and not _behind_preposition(found)
    if before.low in ("and", "then", "but"):
        return len(found) == 1 or any(token.tag in ("VBZ", "VBP") for token in found)
    return before.tag == "RB" and not finite


def _behind_preposition(found: list[Token]) -> bool:
    """Whether the noun phrase that ends here belongs to a preposition, with no subject before it."""
    k = len(found) - 1
    while k >= 0 and found[k].tag in ("NN", "NNP", "NNS", "JJ", "CD"):
        k -= 1
    if k >= 0 and found[k].tag in ("DT", "PRP$"):
        k -= 1
    if k < 0 or found[k].tag not in ("IN", "TO"):
        return False
    return not any(token.tag in ("NN", "NNP", "NNS", "PRP") for token in found[:k])


def _may_follow_verb(after: Token | None) -> bool:
    return after is None or after.tag in _AFTER_VERB or after.low in words("grammar", "particles", "en")


def _is_participle(found: list[Token]) -> bool:
    return any(token.lemma in ("be", "have") for token in found[-4:])


def is_plain_word(word: str) -> bool:
    """Whether a word in small letters is one of the language, not only a name."""
    tagger = _tagger()
    tag = tagger.tagdict.get(word)
    return (
        word in verb_forms()
        or (tag is not None and not tag.startswith("NNP"))
        or (word in tagger.vocab and tagger(["the", word])[1] != "NNP")
    )
