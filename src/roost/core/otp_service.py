"""The name of the service that a one-time code is for, where the text says it."""

import re
from collections.abc import Sequence

from roost.core.otp_words import Cue


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LONGEST, _MOST_WORDS, _MOST_ASKED, _NEAR = 40, 4, 4, 60
_BRACKETED = re.compile(
    r"^\s{0,8}(?:<#>)?\s{0,8}[\[【(«<]\s{0,3}([^\]】)»>\n]{2,40}?)\s{0,3}[\]】)»>]|[\[【]([^\]】\n]{2,40})[\]】]\s{0,8}$"
)
_PREFIX = re.compile(r"^\s{0,8}(?:<#>)?\s{0,8}(?:From |FROM )?([^\s:\n][^:\n|]{0,39}?)\s{0,2}(?::|\s[|-])\s")
_SIGNED = re.compile(
    r"(?:^|[\s.])[-~]{1,2}\s?([^\W\d_][^-\n.,:]{1,39})[.\s]{0,4}$"
    r"|(?:Thanks|Thank you|Regards|Cheers|Team),?\s{1,3}(?:the )?([^\W\d_][^\n.,:]{1,39})[.\s]{0,4}$"
)
_SIGNING_IN = re.compile(
    r"\b(?:log ?in|log-in|sign ?in|sign-in|sign ?up|logging in|signing in|register|registration|access|verification|connecter)"
    r" (?:to|with|for|at|on|into|à|sur) ([^\n]{2,60})"
    r"|\b(?:your|the|to your) ([^\n]{2,60}?) (?:account|profile|wallet|number)\b"
)
# Scripts without capitals, most of them without spaces: only brackets tell a name from the words around it.
_UNCASED = re.compile("[\u0590-\u08ff\u0e00-\u0e7f\u3040-\u9fff\uac00-\ud7af]")
_PIECES = re.compile(r"[^\s,;:!?()\[\]\"“”«»*<>\u0590-\u08ff\u0e00-\u0e7f\u3000-\u9fff\uac00-\ud7af]+")
_SENTENCE_END = re.compile(r"[.!?:\n(](?:\s|$)|\d{4}")
_CODE_LIKE = re.compile(r"[A-Z]{1,3}-?\d{4,8}|[A-Z]{3,8}\d{2,8}|(?=[A-Z]*\d[A-Z]*\d)[A-Z0-9]{5,10}")
# Words that are written with a capital and are nobody's name.
_NO_NAMES = _words(
    "your you the this that is are a an my our use enter input type please dear hi hello hey hola customer user "
    "client member sir madam alert notice note important attention reminder warning security verification verify code "
    "codes otp pin password passcode one-time onetime new do don't dont not never no don for to from as with and or "
    "of in on at it its by if we me i login log sign signin account temporary unique here below above following "
    "confirmation confirm access activation authentication authorization sms text message msg info update action "
    "required secure secret private personal digit numeric su tu tú el la los las un una usa utiliza ingresa ingrese "
    "introduce código codigo clave contraseña es para de del con seu sua teu tua o os utilize digite senha não nao "
    "compartilhe é votre ton ta vos le les est utilisez saisissez voici mot ne pour bonjour ihr ihre dein deine der "
    "die das lautet ist verwenden bitte geben sie dies hier ihren mit für zur zum il tuo suo è inserisci codice per "
    "non uw je jouw het gebruik voer kode kod twój twoj jest podaj din ditt är er på koden nie ваш твой это код для "
    "никому не kodunuz şifreniz sayın kodu kodi anda gunakan jangan mã của bạn là valid expires expire ref reference "
    "sent share tap click reply stop help get call msgs dial visit go today now urgent fyi re fwd web발신 국제발신 váš vaše "
    "vašе ο η το web kære hej deinen"
)
_JOINING = _words("of and & the de du la y e und von di")
_TRAILING = _words("id free msg account sms security login team support verification services account's")
_PREPOSITIONS = _words(
    "for to from with on at by of in pour für fur per para de do da di del du von bei zu til till för od z w na для "
    "от в на din untuk dari daripada için het voor من برای של"
)
_LEADING = _PREPOSITIONS | _words("your the su tu votre ihr dein uw je il")


def service_of(text: str, cues: Sequence[Cue], start: int = -1, end: int = -1) -> str | None:
    """Return the name, or None. `start` and `end` say where the code is; the word nearest to it is asked first."""
    said = [cue for cue in cues if cue.kind != "other"]
    name = _bracketed(text) or _prefixed(text, said)
    if name or not said:
        return name or _elsewhere(text)
    nearest = sorted(said, key=lambda cue: min(abs(cue.start - end), abs(start - cue.end)) if start >= 0 else 0)
    for cue in nearest[:_MOST_ASKED]:
        name = _before(text[max(0, cue.start - _NEAR) : cue.start]) or _after(text[cue.end : cue.end + _NEAR])
        if name:
            return name
    return (_after(text[end : end + _NEAR], needs_preposition=True) if end >= 0 else None) or _elsewhere(text)


def _bracketed(text: str) -> str | None:
    found = _BRACKETED.search(text)
    pieces = (found[1] or found[2]).split() if found else []
    fits = 0 < len(pieces) <= _MOST_WORDS and all(
        _is_name(piece) or piece in _JOINING or (_UNCASED.search(piece) and piece.casefold() not in _NO_NAMES)
        for piece in pieces
    )
    return _joined(pieces) if fits else None


def _prefixed(text: str, cues: Sequence[Cue]) -> str | None:
    """The name before a colon or a dash that the text begins with."""
    found = _PREFIX.search(text)
    if found is None or any(cue.start < found.end(1) and cue.end > found.start(1) for cue in cues):
        return None
    pieces = found[1].split()
    while pieces and pieces[-1].casefold() in _TRAILING:
        pieces.pop()
    fits = len(pieces) <= _MOST_WORDS and all(_is_name(piece) or piece in _JOINING for piece in pieces)
    return _joined(pieces) if fits else None


def _elsewhere(text: str) -> str | None:
    for pattern in (_SIGNING_IN, _SIGNED):
        for found in pattern.finditer(text):
            name = _first_name(found[1] or "") or _last_name(found[2] or "")
            if name:
                return name
    return None


def _before(text: str) -> str | None:
    """The name that ends where `text` ends: "is your Google " has Google."""
    return _last_name(_SENTENCE_END.split(text)[-1].rstrip(" -\u2019'\"”»"))


def _after(text: str, *, needs_preposition: bool = False) -> str | None:
    """The name that follows a word for the code: " for Acme is 482913", " WhatsApp: "."""
    if not text.startswith(" "):
        return None
    text = _SENTENCE_END.split(text)[0]
    if needs_preposition and text.split()[:1] not in ([word] for word in _PREPOSITIONS):
        return None
    return _first_name(text)


def _first_name(text: str) -> str | None:
    pieces = _PIECES.findall(text)
    while pieces and pieces[0].casefold() in _LEADING:
        pieces.pop(0)
    taken: list[str] = []
    for piece in pieces:
        if not (_is_name(piece) or (taken and piece in _JOINING)):
            break
        taken.append(piece)
    return _joined(taken[:_MOST_WORDS])


def _last_name(text: str) -> str | None:
    taken: list[str] = []
    for piece in reversed(_PIECES.findall(text)):
        if not taken and piece.casefold() in _TRAILING:
            continue
        if not (_is_name(piece) or (taken and piece in _JOINING)):
            break
        taken.append(piece)
    return _joined(taken[:_MOST_WORDS][::-1])


def _is_name(piece: str) -> bool:
    bare = piece.strip(".'’-/").casefold()
    if not bare or bare in _NO_NAMES or bare.isdigit() or _CODE_LIKE.fullmatch(piece):
        return False
    return any(character.isupper() for character in piece) or ("." in bare and bare.rpartition(".")[2].isalpha())


def _joined(pieces: list[str]) -> str | None:
    while pieces and (pieces[-1].casefold().strip(".'’-") in _TRAILING or pieces[-1] in _JOINING):
        pieces = pieces[:-1]
    while pieces and pieces[0] in _JOINING:
        pieces = pieces[1:]
    name = " ".join(pieces).strip(" .-'’/")
    return name if 0 < len(name) <= _LONGEST else None
