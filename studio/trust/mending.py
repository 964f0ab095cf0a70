"""English words in disguise (leetspeak, spaced-out letters, misspellings) become the listed words."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import pairwise

from studio.trust.normal import Mapped
from studio.trust.terms import table

Change = tuple[int, int, str]

_LEET = str.maketrans("0134567892@$€£|!+()<", "oieasgtbgzasellitcoc")
_LEET_L = str.maketrans("0134567892@$€£|!+()<", "oleasgtbgzasellltcoc")
_ATOM = re.compile(r"[a-z0-9@$€£|!+*#]+")
_TOKEN = re.compile(r"[a-z0-9]+")
_THRICE = re.compile(r"(.)\1{2,}")
_TWICE = re.compile(r"(.)\1+")
_BETWEEN = re.compile(r"(?<=[a-z])[013457]+(?=[a-z])")
_LONGEST_JOIN = 5
_VOWEL = re.compile(r"[aeiou]")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = {key: row[max(0, k - 1) : k] + row[k + 1 : k + 2] for row in _ROWS for k, key in enumerate(row)}


class Mender:
    """Finds what stands for one of its words; thread-safe, as nothing changes after building."""

    def __init__(self, words: Iterable[str], telling: Iterable[str]) -> None:
        self.words = frozenset(w for w in words if len(w) >= 3 and w.isascii() and w.isalpha())
        self._telling = self.words.intersection(telling)
        self._squeezed = {_TWICE.sub(r"\1", w): w for w in sorted(self._telling) if len(w) > 3}
        self._shorter: dict[str, list[str]] = {}
        self._framed: dict[tuple[str, str, int], list[str]] = {}
        self._bare: dict[str, str] = {}
        for word in sorted(self._telling, key=lambda one: (-len(one), one)):
            # Of words that lose their vowels to one row of letters, the shortest counts.
            self._bare[_without_vowels(word)] = word
        for word in sorted(self._telling):
            self._framed.setdefault((word[0], word[-1], len(word)), []).append(word)
            for cut in range(1, len(word)) if len(word) >= 5 else ():
                self._shorter.setdefault(word[:cut] + word[cut + 1 :], []).append(word)

    def mend(self, text: Mapped, spells: Callable[[str], bool]) -> Mapped:
        """The text with its disguised words written plainly; what `spells` knows as pinyin is none."""
        text = text.replaced(self._leet(text.text))
        text = text.replaced(self._apart(text.text))
        return text.replaced(self._misspelled(text.text, spells))

    def suggest(self, token: str) -> str | None:
        """The word that a token is a misspelling of, if its letters allow it: one letter too many, missing,
        wrong or swapped, letters repeated, no vowels at all, or everything written backwards."""
        if token in self.words or len(token) < 4 or not token.isalpha():
            return None
        for shorter in {_THRICE.sub(r"\1", token), _THRICE.sub(r"\1\1", token), _halved(token)}:
            if shorter != token and shorter in self._telling:
                return shorter
        if (
            len(token) > 4
            and (word := self._squeezed.get(_TWICE.sub(r"\1", token)))
            and len(word) < len(token)
        ):
            return word
        if missing := self._shorter.get(token):
            return missing[0]
        if token[::-1] in self._telling:
            return token[::-1]
        if not _VOWEL.search(token) and (word := self._bare.get(token)):
            return word
        for cut in range(1, len(token)):
            shorter = token[:cut] + token[cut + 1 :]
            if len(shorter) > 4 and shorter in self._telling:
                return shorter
            for word in self._shorter.get(shorter, ()):
                if len(word) == len(token) and (_one_off(token, word) or _slipped(token, word)):
                    return word
        return None

    def _leet(self, text: str) -> list[Change]:
        found: list[Change] = []
        for atom in _ATOM.finditer(text):
            if atom.group().isalpha() or atom.group().isdigit():
                continue
            for start, end in dict.fromkeys([atom.span(), _bare(text, *atom.span())]):
                if word := self._decoded(text[start:end]):
                    found.append((start, end, word))
                    break
            else:
                # th3 m4n: digits between letters are read as letters, for the sake of the whole sentence.
                found += [
                    (atom.start() + one.start(), atom.start() + one.end(), one.group().translate(_LEET))
                    for one in _BETWEEN.finditer(atom.group())
                ]
        return found

    def _decoded(self, atom: str) -> str | None:
        if len(atom) < 3 or not any(c.isalpha() for c in atom):
            return None
        if "*" in atom or "#" in atom:
            return self._starred(atom.replace("#", "*"))
        for read in {atom.translate(_LEET), atom.translate(_LEET_L)}:
            for plain in (read, _THRICE.sub(r"\1", read)):
                if plain in self.words:
                    return plain
            if word := self.suggest(read):
                return word
        return None

    def _starred(self, atom: str) -> str | None:
        if ("**" in atom and len(atom) < 4) or not (atom[0].isalpha() and atom[-1].isalpha()):
            return None
        pattern = re.compile(atom.translate(_LEET).replace("*", "[a-z]"))
        words = self._framed.get((atom[0], atom[-1], len(atom)), ())
        # b*mb may also be "b*omb": a star that stands for nothing.
        return next((word for word in words if pattern.fullmatch(word)), None) or (
            atom.replace("*", "") if atom.replace("*", "") in self.words else None
        )

    def _apart(self, text: str) -> list[Change]:
        tokens = [match.span() for match in _TOKEN.finditer(text)]
        found: list[Change] = []
        i = 0
        while i < len(tokens):
            run = i + 1
            while run < len(tokens) and _single(tokens[run]) and _near(text, tokens[run - 1], tokens[run]):
                run += 1
            if _single(tokens[i]) and run - i >= 3:
                found += self._spelled(text, tokens[i:run])
                i = run
                continue
            i += self._joined(text, tokens, i, found)
        return found

    def _joined(self, text: str, tokens: Sequence[tuple[int, int]], i: int, found: list[Change]) -> int:
        """Look whether some tokens from the i-th on make a word; how many tokens are done."""
        joined = text[slice(*tokens[i])]
        start = tokens[i][0]
        if joined == "s" and text[start - 2 : start - 1].isalpha() and text[start - 1 : start] in "'’":
            # The s of "a child's laughter" belongs to the word before it.
            return 1
        for count in range(2, _LONGEST_JOIN + 1):
            last = i + count - 1
            if last >= len(tokens) or not _near(text, tokens[last - 1], tokens[last], 2):
                return 1
            if all(map(_single, tokens[last : last + 3])) and last + 2 < len(tokens):
                return 1
            joined += text[slice(*tokens[last])]
            if len(joined) > 16:
                return 1
            word = joined if joined in self.words else joined.translate(_LEET)
            parts = [text[slice(*token)] for token in tokens[i : last + 1]]
            if word not in self.words or (len(parts[-1]) == 1 and parts[0] in self.words):
                continue
            gaps = {text[a[1] : b[0]] for a, b in pairwise(tokens[i : last + 1])}
            # A blank or a hyphen may stand there for its own sake, a heart may not.
            if " ".join(parts) not in _ordinary("splits") or not gaps <= {" ", "-", ", ", ". ", "'", "/"}:
                found.append((tokens[i][0], tokens[last][1], word))
                return count
        return 1

    def _spelled(self, text: str, tokens: Sequence[tuple[int, int]]) -> list[Change]:
        """Letter by letter: n u d e, g.o.r.e; wider gaps are those between words."""
        gaps = [text[a[1] : b[0]] for a, b in pairwise(tokens)]
        usual = Counter(gaps).most_common(1)[0][0]
        groups, at = [], 0
        for k, gap in enumerate(gaps, 1):
            if len(gap) > len(usual) or (" " in gap and " " not in usual):
                groups.append(tokens[at:k])
                at = k
        groups.append(tokens[at:])
        found: list[Change] = []
        for group in groups:
            letters = "".join(text[start:end] for start, end in group).translate(_LEET)
            if letters in self.words or (len(groups) > 1 and len(letters) > 1) or self.suggest(letters):
                found.append((group[0][0], group[-1][1], letters))
            else:
                found += self._within(letters, group)
        return found

    def _within(self, letters: str, group: Sequence[tuple[int, int]]) -> list[Change]:
        """The listed words in a row of letters without any gaps between words."""
        found: list[Change] = []
        at = 0
        while at < len(letters):
            longest = next(
                (n for n in range(min(14, len(letters) - at), 3, -1) if letters[at : at + n] in self.words), 0
            )
            if longest:
                # The blanks around it set it off from its neighbours.
                found.append((group[at][0], group[at + longest - 1][1], letters[at : at + longest]))
            at += longest or 1
        return found

    def _misspelled(self, text: str, spells: Callable[[str], bool]) -> list[Change]:
        found: list[Change] = []
        for token in _TOKEN.finditer(text):
            word = token.group()
            ordinary = word in self.words or word in _ordinary("near") or spells(word)
            if not ordinary and (meant := self.suggest(word)):
                found.append((*token.span(), meant))
        return found


@cache
def _ordinary(kind: str) -> frozenset[str]:
    return frozenset(table("ordinary").get(kind, "").split(", "))


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """Without the signs that end a sentence: "k!ll!" is k!ll."""
    while end > start and text[end - 1] in "!|+*#":
        end -= 1
    while start < end and text[start] in "!|+*#":
        start += 1
    return start, end


def _halved(token: str) -> str:
    """nnuuddee as nude."""
    return token[::2] if len(token) % 2 == 0 and token[::2] == token[1::2] else token


def _one_off(token: str, word: str) -> bool:
    """Whether two words of one length differ in one letter (not in short words) or in two swapped ones."""
    wrong = [k for k, (a, b) in enumerate(zip(token, word, strict=True)) if a != b]
    if len(wrong) == 1:
        return len(word) >= 6 and wrong[0] > 0
    swapped = len(wrong) == 2 and wrong[1] == wrong[0] + 1
    return swapped and token[wrong[0]] == word[wrong[1]] and token[wrong[1]] == word[wrong[0]]


def _slipped(token: str, word: str) -> bool:
    """Whether a finger hit the key beside the one it meant."""
    wrong = [(a, b) for a, b in zip(token, word, strict=True) if a != b]
    return len(word) == 5 and len(wrong) == 1 and wrong[0][0] in _BESIDE.get(wrong[0][1], "")


def _without_vowels(word: str) -> str:
    return _VOWEL.sub("", word)


def _single(token: tuple[int, int]) -> bool:
    return token[1] - token[0] == 1


def _near(text: str, one: tuple[int, int], other: tuple[int, int], most: int = 3) -> bool:
    gap = text[one[1] : other[0]]
    return 0 < len(gap) <= most and not any(c.isalnum() or c == "\n" for c in gap)
