"""English prompts: things in them are found with their articles and adjectives, and changed."""

import re

from studio.edits.concepts import pattern
from studio.edits.english_nouns import COLOUR, DETERMINER, LEADS, bare, noun_phrase, plural_of, with_article
from studio.edits.phrases import adjective, colour_in, opposite, spoken
from studio.edits.types import Wish
from studio.text.english import tokens_of, verb_forms
from studio.text.language import HAN, has_han

_NUMBERS = {
    "两": "two", "二": "two", "三": "three", "四": "four", "五": "five", "六": "six", "七": "seven",
    "八": "eight", "九": "nine", "十": "ten", "一群": "a group of", "很多": "many", "许多": "many",
    "几": "several",
}  # fmt: skip
_ADVERBS = {
    "slower": "slowly",
    "slow": "slowly",
    "faster": "fast",
    "quicker": "quickly",
    "quick": "quickly",
    "higher": "high",
    "harder": "hard",
}
# Who moves in one of these ways moves in no other at the same time.
_WAYS = frozenset(
    re.findall(
        r"\w+",
        "run walk gallop trot move go sail drift float fly swim jump crawl march stand sit lie stay row drive"
        " ride sleep hover dance stroll wander race rush",
    )
)
_SOMEBODY = re.compile(
    r"\b(?:make|let|have|get|stop) (?P<who>him|her|them|it) (?:from )?(?P<does>[a-z]+(?: .*)?)$"
)
_BEFORE_VERB = re.compile(
    r"\b(?:make|let|have|get|stop|i want|want|tell|see)\b (?P<who>(?:the |an? |that "
    r"|this |his |her |those )?[a-z' -]+?) (?:to |from )?(?P<does>[a-z]+(?: .*)?)$"
)
_SAYS = re.compile(
    r"(?P<who>(?:the |an? |that |this |his |her |those )?[a-z' -]+?) (?:should(?:n't"
    r"| not)?|must|could|needs? to|has to|is|are|starts? to|to) (?:be |not )?(?P<does>[a-z]+"
    r"(?: .*)?)$"
)
_HOW = re.compile(r"^(?:a bit |a little |much |more |slightly )+")


def coloured(wish: Wish, prompt: str) -> str | None:
    """A thing in another colour."""
    colour = spoken(colour_in(wish.value) or wish.value, "en").removesuffix("er")
    at = _at(wish, prompt)
    if at is None:
        return _behind(prompt, f"{with_article(f'{colour} {bare(wish.target)}')}" if wish.target else colour)
    adjectives = re.sub(rf"{COLOUR} ", "", at["adjectives"] or "", flags=re.IGNORECASE)
    return _put(prompt, at, adjectives=f"{adjectives}{colour} ")


def described(wish: Wish, prompt: str) -> str | None:
    """A thing that is otherwise."""
    worn = re.search(
        r"\b(?:wearing|with|in)\b .*$|\bgive (?:him|her|it|them|the [\w ]+?) (?P<what>.*)$", wish.text
    )
    at = _at(wish, prompt)
    if worn and at is not None and not wish.text.startswith(("with ", "in ")):
        what = with_article(worn["what"]) if worn["what"] else ""
        told = f"with {what}" if what else worn.group()
        return f"{prompt[: at.end()]} {told}{prompt[at.end() :]}"
    if clothes := re.search(
        rf"[穿戴披拿留](?:着|上|了)?(?:一?[顶件条副把双])?(?P<what>[{HAN}]+)$", wish.text
    ):
        told = f"wearing {with_article(spoken(clothes['what'], 'en'))}"
        return _behind(prompt, told) if at is None else f"{prompt[: at.end()]} {told}{prompt[at.end() :]}"
    quality = _quality(wish)
    if not quality:
        return None
    if at is None:
        return _behind(prompt, f"{quality} {bare(wish.target)}" if wish.target else quality)
    plain = quality.removeprefix("very ").removeprefix("slightly ")
    other = opposite(plain)
    adjectives = " ".join(
        word for word in (at["adjectives"] or "").split() if word not in (plain, other, "very", "slightly")
    )
    return _put(prompt, at, adjectives=f"{quality} {adjectives} " if adjectives else f"{quality} ")


def counted(wish: Wish, prompt: str) -> str | None:
    """More or fewer of something."""
    number = (
        next((_NUMBERS[word] for word in _NUMBERS if word in wish.value), "") if has_han(wish.value) else ""
    )
    said = re.search(
        r"\b(two|three|four|five|six|seven|eight|nine|ten|twelve|\d+|several|dozens of|a "
        r"dozen|a flock of|a herd of|a group of|a crowd of|hundreds of|thousands of|countless)\b",
        wish.text,
    )
    one = re.search(r"\b(?:only one|just one|a single|single)\b|只[要有留]?一", wish.text)
    fewer = wish.amount.sign < 0 or re.search(r"\b(?:fewer|less|too many)\b|少|太多", wish.text)
    noun = bare(wish.target)
    if said and not number:
        number = said[1]
    told = "one" if one else number or ("a few" if fewer else "many")
    name = noun if told == "one" else plural_of(re.sub(rf"^{DETERMINER} ", "", noun))
    at = _at(wish, prompt)
    if at is None:
        return _behind(prompt, f"{told} {name}")
    noun_now = at["noun"].lower()
    base = noun_now if told == "one" else plural_of(noun_now)
    if at.start() == 0 and prompt[:1].isupper():
        told = told[:1].upper() + told[1:]
    behind = prompt[at.end() :]
    if base != noun_now or told.lower() == "one":
        behind = _agreeing(behind, several=told.lower() != "one")
    return prompt[: at.start()] + f"{told} {at['adjectives'] or ''}{base}" + behind


def _agreeing(behind: str, *, several: bool) -> str:
    """What stands behind a subject, its verb in the right number: three horses gallop."""
    found = re.match(r" ([a-z]+)\b", behind)
    if not found:
        return behind
    verb, irregular = found[1], {"is": "are", "was": "were", "has": "have", "does": "do"}
    if several:
        other = irregular.get(verb) or (verb_forms().get(verb) if verb.endswith("s") else None)
    else:
        other = {many: one for one, many in irregular.items()}.get(verb)
    return f" {other}{behind[found.end() :]}" if other else behind


def added(wish: Wish, prompt: str) -> str | None:
    """Something more."""
    if has_han(wish.text):
        return _behind(prompt, f"with {with_article(spoken(wish.target, 'en'))}")
    at = wish.text.find(wish.target)
    rest = wish.text[at:] if at >= 0 else wish.target
    rest = re.sub(r"\b(?:appears?|appearing|as well|too|please|somewhere)\b\s*", "", rest).strip()
    if re.match(r"(?:another|the) ", rest):
        rest = re.sub(r"^the ", "", rest)
    return _behind(prompt, f"with {with_article(rest)}" if not rest.startswith("with ") else rest)


def removed(wish: Wish, prompt: str) -> str | None:
    """Without a thing; None if the prompt does not name it."""
    at = noun_phrase(prompt, wish.target)
    if at is None:
        return None
    start, end = at.start(), at.end()
    # Its own clause goes with it: from the comma before to the comma behind.
    clause_start = max(prompt.rfind(sign, 0, start) for sign in ",;.") + 1
    comma = min((k for k in (prompt.find(sign, end) for sign in ",;.") if k >= 0), default=len(prompt))
    head = prompt[clause_start:start].strip().lower()
    joined = re.search(r"(?:^|\s)(?:and|with)$", head)
    led = re.search(rf"(?:^|\s){LEADS}$", head)
    if not head or re.fullmatch(rf"(?:and|with|{LEADS})", head):
        if clause_start == 0 and comma >= len(prompt.rstrip(". ")):
            return None  # nothing else is said
        after = prompt[:clause_start].rstrip(" ,;") + prompt[comma:]
        after = after.lstrip(" ,;") if clause_start == 0 else after
    elif joined or led:
        before = prompt[:start].rstrip()
        before = before[: before.rfind(" ")] if joined or led else before
        tail = prompt[end:comma]
        own = re.match(r" (?:that|which|who|of)\b", tail)
        after = before.rstrip() + (tail if led and not own else "") + prompt[comma:]
    else:
        return None
    after = re.sub(r"\s+", " ", after).strip(" ,;")
    return after[:1].upper() + after[1:] if prompt[:1].isupper() else after


def replaced(wish: Wish, prompt: str) -> str | None:
    """One thing for another."""
    new = spoken(wish.value, "en").strip()
    if not new:
        return None
    at = _at(wish, prompt)
    if at is None:
        return _behind(prompt, f"with {with_article(new)}")
    new = re.sub(r"^(?:the|an?|some) ", "", new)
    det = (at["det"] or "").lower()
    named = f"{at['det']} {new}" if det and det not in ("a", "an") else with_article(new) if det else new
    if at.start() == 0 and prompt[:1].isupper():
        named = named[:1].upper() + named[1:]
    return prompt[: at.start()] + named + prompt[at.end() :]


def acting(wish: Wish, prompt: str) -> str | None:
    """Somebody does something, or does it otherwise."""
    if has_han(wish.text):
        return None
    text = re.sub(r"\b(?:please|then|now)\b", "", wish.text).strip()
    stops = bool(re.search(r"\b(?:stop|not|n't|don't|no longer)\b", text))
    found = _SOMEBODY.search(text)
    if found is None or not _doing(found["does"]):
        found = _BEFORE_VERB.search(text) or _SAYS.search(text)
    if found:
        who, does = found["who"], found["does"]
    elif wish.target and text.startswith(wish.target):
        who, does = wish.target, text[len(wish.target) :].strip()
    else:
        return None
    doing = _doing(does)
    if not doing:
        return None
    if who.strip() in ("it", "him", "her", "them", "he", "she", "they", "this"):
        who = {"him": "he", "her": "she", "them": "they"}.get(who, who)
        subject = "" if who in ("it", "this") else who
    else:
        subject = who
    at = _at(wish, prompt)
    if at is not None and not stops and (moved := _moving(prompt, at.end(), doing)):
        return moved
    phrase = f"{subject} {'not ' if stops else ''}{doing}".strip()
    if subject in ("he", "she", "they"):
        phrase = doing if not stops else f"not {doing}"
    return _behind(prompt, phrase)


def _moving(prompt: str, end: int, doing: str) -> str | None:
    """The prompt in which who stands before `end` moves otherwise; None if it does not say how it moves."""
    found = re.match(
        r" (?:is |are )?(?P<verb>[a-z]+)(?P<how>(?: (?:left|right|forwards?|backwards?|slowly"
        r"|fast|quickly|away|up|down|ahead))*)\b",
        prompt[end:],
    )
    forms = verb_forms()
    new, _, rest = doing.partition(" ")
    if not found or forms.get(found["verb"]) not in _WAYS or forms.get(new) not in _WAYS:
        return None
    verb = found["verb"]
    if verb.endswith("ing"):
        told = new
    else:
        base = forms[new]
        told = (
            f"{base}{'es' if re.search(r'(?:s|sh|ch|x|z|o)$', base) else 's'}" if verb.endswith("s") else base
        )
    start = end + found.start("verb")
    return f"{prompt[:start]}{told}{' ' + rest if rest else ''}{prompt[end + found.end() :]}"


def placed(wish: Wish, prompt: str) -> str | None:
    """Somewhere else; what the prompt said of the place gives way where it can be told."""
    if has_han(wish.value) and has_han(spoken(wish.value, "en")):
        return _behind(prompt, wish.value)
    said = (
        re.search(
            r"(?P<where>(?:in|at|on|inside|under|near|by|underwater|indoors|outdoors)\b(?: .*)?)$", wish.text
        )
        if not has_han(wish.text)
        else None
    )
    where = said["where"] if said else spoken(wish.value, "en")
    if not re.match(rf"(?:{LEADS}|inside|underwater|indoors|outdoors)\b", where):
        noun = re.sub(r"^(?:the|an?) ", "", where)
        where = (
            f"in {noun}"
            if noun.endswith("s")
            else f"in {'a' if not re.match('[aeiou]', noun) else 'an'} {noun}"
        )
    from studio.text.fields import fields_of

    for one in fields_of(prompt).environment:
        found = re.search(
            rf"(?:\b{LEADS}|\bacross|\bthrough|\balong) (?:(?:the|an?) )?(?:[\w-]+ )?{re.escape(one)}\b",
            prompt,
            re.IGNORECASE,
        )
        if found and one not in ("sky",):
            return prompt[: found.start()] + where + prompt[found.end() :]
    return _behind(prompt, where)


def without_phrase(prompt: str, word: str, kind: str) -> str:
    """The prompt without a phrase of time, weather or camera, and without what led to it."""
    found = re.search(
        rf",? ?(?:\b(?:at|in|on|by|during|under|with|on a|as a|from)\b )?(?:(?:the|an?) )?(?:"
        rf"(?:heavy|light|late|early|falling|thick|strong|bright|gentle|warm|cold) )?{re.escape(word)}"
        rf"(?: shot| sky| weather| light)?\b",
        prompt,
        re.IGNORECASE,
    )
    if not found:
        return prompt
    before, behind = prompt[: found.start()].rstrip(" ,"), prompt[found.end() :]
    # "a rainy street": an adjective goes alone.
    if (
        re.match(r" [a-z]+", behind)
        and not re.match(rf" (?:{LEADS}|and|while|as)\b", behind)
        and re.search(rf"\b(?:an?|the) {re.escape(word)} [a-z]+", prompt, re.IGNORECASE)
    ):
        return re.sub(
            rf"\b(an?|the) {re.escape(word)} (?=[a-z])",
            lambda m: f"{m[1]} ",
            prompt,
            count=1,
            flags=re.IGNORECASE,
        )
    if not before:
        return behind.lstrip(" ,;")
    return before + behind


def _at(wish: Wish, prompt: str) -> re.Match[str] | None:
    """Where the prompt names what the wish is about; its first thing where the wish says it or him."""
    if wish.target and not re.fullmatch(
        r"(?:he|him|she|her|they|them|it|himself|herself|[他她它]们?|主角|主体|主人公)", wish.target
    ):
        return noun_phrase(prompt, wish.target)
    for token in tokens_of(prompt):
        if token.tag in ("NN", "NNS", "NNP") and not re.fullmatch(COLOUR, token.low):
            return noun_phrase(prompt, token.low)
    return None


def _put(prompt: str, at: re.Match[str], *, adjectives: str) -> str:
    """The noun phrase with other adjectives, its article after them."""
    det = at["det"] or ""
    adjectives = re.sub(r"\s+", " ", adjectives)
    if det.lower() in ("a", "an"):
        right = "an" if re.match("[aeiou]", adjectives.strip() or at["noun"], re.IGNORECASE) else "a"
        det = right.capitalize() if det[0].isupper() else right
    told = f"{det} {adjectives}{at['noun']}" if det else f"{adjectives}{at['noun']}"
    if not det and at.start() == 0 and prompt[:1].isupper():
        told = told[:1].upper() + told[1:].replace(at["noun"], at["noun"].lower(), 1)
    return prompt[: at.start()] + told + prompt[at.end() :]


def _quality(wish: Wish) -> str:
    """How the thing is said to be: very bright, slightly old; the opposite where less of it is asked for."""
    word = spoken(re.sub(r"(?:一[点些下]儿?|点儿?|些|的)$", "", wish.value), "en")
    if not word or has_han(word):
        return ""
    plain = adjective(word.lower())
    # 大一点 and "bigger" ask for more of it; "not so big" and "too big" for its opposite.
    if _less(wish):
        plain = opposite(plain) or f"less {plain}"
    if wish.amount.strength > 1:
        return f"very {plain}"
    if wish.amount.strength < 1:
        return plain
    return (
        f"very {plain}"
        if re.search(r"(?:er|more .*|再.*|更.*)$", word) or re.search(r"\bmore\b|再|更", wish.text)
        else plain
    )


def _less(wish: Wish) -> bool:
    return bool(
        re.search(
            r"\b(?:too|not so|less|isn't so|not that|not too)\b|太|别那么|不要那么|不要太|没那么|过于",
            wish.text,
        )
    ) and not re.search(r"enough|不够", wish.text)


def _doing(does: str) -> str:
    """ "runs slower" as "running slowly"; empty if it begins with no verb."""
    first, _, rest = does.strip().partition(" ")
    base = verb_forms().get(first.lower())
    if base is None and pattern("motion").match(does.strip()):
        base = first.lower()
    if base is None:
        return ""
    if first.endswith("ing"):
        doing = first
    elif base in ("be",):
        return rest
    else:
        doing = _ing(base)
    rest = " ".join(_ADVERBS.get(word, word) for word in _HOW.sub("", rest).split())
    return f"{doing} {rest}".strip()


def _ing(verb: str) -> str:
    if verb.endswith("ie"):
        return f"{verb[:-2]}ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return f"{verb[:-1]}ing"
    if (
        re.search(r"(?:^|[^aeiou])[aeiou][bdgmnprt]$", verb) and not re.search(r"(?:er|en|on|it)$", verb)
    ) or verb in ("sit", "begin"):
        return f"{verb}{verb[-1]}ing"
    return f"{verb}ing"


def _behind(prompt: str, phrase: str) -> str:
    body = prompt.rstrip(" ,")
    stop = body[-1] if body and body[-1] in ".!" else ""
    body = body[: len(body) - len(stop)]
    return prompt if phrase.lower() in body.lower() else f"{body}, {phrase}{stop}"
