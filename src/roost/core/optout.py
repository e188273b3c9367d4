"""Opt-outs at two levels: a keyword that is the whole message, and a request in ordinary language.

Level 1 (`keyword`) decides by itself: 47 CFR 64.1200(a)(10) makes a reply of "stop", "quit", "end", "revoke",
"opt out", "cancel" or "unsubscribe" a revocation, and carriers match a message that is one keyword and nothing else.
Level 2 (`is_suspected`) only points at a message: the same rule lets people revoke in any reasonable words, and no list
of patterns can be sure of those ("don't stop", "bus stop").
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal


@dataclass(frozen=True, slots=True)
class Keyword:
    """A keyword that was the whole message; `keyword` is the canonical upper-case word ("Opt-Out!" is OPTOUT)."""

    kind: Literal["opt_out", "opt_in", "help"]
    keyword: str


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_OPT_OUT = _set(
    "STOP STOPALL UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT REMOVE ARRET PARAR ALTO BAJA CANCELAR SAIR STOPP ABMELDEN"
)
_KEYWORDS = (
    {word: Keyword("opt_out", word) for word in _OPT_OUT}
    | {word: Keyword("opt_in", word) for word in ("START", "UNSTOP", "YES", "CONFIRM")}
    | {word: Keyword("help", word) for word in ("HELP", "INFO", "AYUDA", "AIDE")}
)

# More characters than any keyword takes, even with a space after every letter.
_LONGEST = 40
# From the first letter or digit to the last.
_CORE = re.compile(r"[^\W_](?:.*[^\W_])?", re.DOTALL)
_GAPS = re.compile(r"[\s\-\u2010-\u2015\u2212]+")
# What decomposition leaves of accents, and what nobody sees: variation selectors, joiners, zero-width and direction
# characters, soft hyphens, tags, keycaps.
_MARKS = re.compile(
    r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f"
    r"\u00ad\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]+"
)


def keyword(body: str, extra_opt_out: frozenset[str] = frozenset()) -> Keyword | None:
    """Return the keyword that the whole message is, or None ("STOP 12345" is none).

    YES is an opt-in only after an opt-out or inside a double opt-in, and CONFIRM only inside one, which the caller
    knows. The words an organization adds, up to 40 characters each, are compared like our own and never change what our
    own mean; one without a letter or digit counts for nothing.
    """
    if len(body) > _LONGEST:
        core = _CORE.search(body)
        if core is None or core.end() - core.start() > _LONGEST:
            return None
        body = core[0]
    word = _canonical(body)
    found = _KEYWORDS.get(word)
    if found is None and word and word in _canonical_all(extra_opt_out):
        return Keyword("opt_out", word)
    return found


def _canonical(text: str) -> str:
    """Return the text as a keyword is written: "« Arrêt ! »" is ARRET, "stop all" STOPALL."""
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text).casefold())
    core = _CORE.search(text)
    return _GAPS.sub("", core[0]).upper() if core else ""


@lru_cache(maxsize=1024)
def _canonical_all(words: frozenset[str]) -> frozenset[str]:
    return frozenset(map(_canonical, words))


# --- Level 2. The patterns read a plain form of the text: lower-case ASCII words, each after one space, apostrophes
# gone ("dont", "mecrire"), sentences parted by a "." that is a word of its own. Every pattern begins with a space and
# a word, and repeats nothing but single words from a fixed list, so that the engine neither starts nor backtracks much.

# No carrier delivers a longer text; this bounds what a hostile one costs.
_EXAMINED = 4096
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_PLAIN = bytes(
    ord(char.lower() if char.isascii() and char.isalnum() else "." if char in ".!?;\n\r" else " ")
    for char in map(chr, range(256))
)
# Phones that cannot show a reaction send it as a text that quotes ours, "Reply STOP to opt out" and all.
_REACTION = re.compile(
    r"\s*(?:liked|loved|disliked|laughed at|emphasi[sz]ed|questioned|reacted \S{1,20} to|removed .{1,30} from"
    r"|[^\w\s]{1,20} to)\s*[“\"]",
    re.IGNORECASE,
)

_COURTESIES = (
    "please pls plz plse kindly thanks thank thx tnx ty you u sir maam now already immediately asap right away "
    "por favor porfavor porfa gracias svp sil s il vous te plait merci bitte danke obrigado obrigada"
)
# A message of nothing but these is a request; so is one sentence, if it has one of the stop words in it. The rest of
# the keywords mean too much else for that ("Cancel. I am ill").
_OPT_OUT_WORDS = _set(" ".join(_OPT_OUT).lower() + " unsub arrete arretez")
_STOP_WORDS = _set("stop stopp stopall unsubscribe unsub optout arret arrete arretez")
_POLITE = _OPT_OUT_WORDS | _set(_COURTESIES)
_POLITE_STOP = _POLITE | _set(
    "ok okay yes no hey hi hello just and all everything it this that these them texts messages"
)


def _any(words: str) -> str:
    """A pattern for any run of these words, none included."""
    return f"(?: (?:{'|'.join(words.split())}))*"


# The rest of the sentence says nothing that would change the meaning.
_END = _any(_COURTESIES + " again anymore ever period ok") + r"(?: \.|$)"
_TEXTS = (
    r"(?:texts|texting|text messages?|messages|msgs?|sms|mms|spam|alerts|reminders|notifications|communications?)\b"
)
_WRITING = (
    r"(?:texting|txting|messaging|contacting|emailing|calling|writing(?: to)?"
    r"|bothering|harassing|spamming|pestering|annoying|bugging|blowing up)"
)
_WHICH = _any(
    "all any anymore more further future the these this those that your ur my of or and with such other kind text spam "
    "unwanted unsolicited annoying stupid damn fucking marketing promotional political automated emails calls "
    "to be get getting receive receiving have see hear from you u me us send sending keep"
)
_LIST = (
    _any("your ur the this that these those all any of mailing texting text sms message marketing contact call phone")
    + r" (?:lists?|database|system|texts|messages|msgs|sms|group|chat|thread|contacts|alerts|notifications)\b"
)
_UNLESS_FROM_OTHERS = rf"(?! (?:from|of)(?!{_LIST}| (?:this|these|your|all|any|future|further|receiving|getting)\b))"
_ME = r"(?:me|us|(?:my|this) (?:(?:cell|phone|mobile) )?(?:number|name|phone)|(?:phone )?number)\b"
# "Can you stop" and "I told you to stop" ask; "will it stop" and "where to stop" do not.
_ASKED = "|".join(
    f"(?<= {words} stop)"
    for words in (
        *("please", "pls", "plz", "kindly", "you", "u", "yall", "you would", "i said", "you to", "u to", "them to"),
        *("this to", "these to", "texts to", "messages to", "needs to", "has to", "you need to", "you have to"),
    )
)

_DONT = r"(?:do ?n[o ]?t|never|not to|no longer)(?: ever)?"

_ENGLISH = (
    # stop texting me, quit sending those texts, end these messages; can you please stop; stop, wrong number
    rf"(?:stop|quit|end|cancel|cease|discontinue){_WHICH}(?: {_TEXTS}(?! (?:him|her|them|people|your|each|and|while)\b)"
    rf"| {_WRITING}(?: {_ME}|{_END})| sending(?: (?:me|us|this|these|them|those)\b|{_END}))",
    rf"stop(?:{_ASKED}){_END}",
    r"stop (?:(?:i am |im )?not interested|(?:you have the )?wrong (?:number|person))\b",
    # unsubscribe me, opt me out, remove me, take me off your list, lose my number
    rf"un ?su(?:bs?|s)cr?ibe\b{_UNLESS_FROM_OTHERS}",
    rf"opt(?:ing)?(?: {_ME})? ?out\b{_UNLESS_FROM_OTHERS}",
    rf"(?:remove|delete|erase) {_ME}(?! (?:as|for|at|in|on|with)\b){_UNLESS_FROM_OTHERS}",
    rf"(?:take|get|drop|pull) {_ME} (?:(?:off|out of|from)(?: of)?{_LIST}|off(?: of)?(?: this| it| these)?{_END})",
    rf"lose(?<! i lose)(?<! to lose) my (?:phone )?number{_END}",
    # no more messages, no texts please
    rf"no (?:(?:more|further){_WHICH} {_TEXTS}(?! left)|{_TEXTS}{_END})",
    # do not contact me again, never call me again, don't send me any more texts
    # I no longer want your messages, I don't want to hear from you, I do not consent to this
    rf"{_DONT} (?:(?:text|txt|contact|message|msg|write(?: to)?|bother|disturb|spam|harass|sms|dm) {_ME}"
    rf"(?: (?:again|any ?more)\b|{_END})|call {_ME} (?:again|any ?more)\b"
    rf"|send(?= (?:me|us|any|anymore|more|these|your)\b){_WHICH}(?: {_TEXTS}|(?: anything| this)?{_END})"
    rf"|(?:want|wish|care|need|like){_WHICH}(?: {_TEXTS}| (?:contacted|texted|messaged)\b"
    rf"| (?:text|contact|message|{_WRITING}) {_ME}|(?<= from you)\b)"
    rf"|consent(?: to (?:this|these|your|being|receiving|any)\b|{_END}))",
    r"(?:(?:revoke|withdraw)(?: (?:my|all|any))* consent|cease and desist|do not (?:call|text|contact) list)\b",
    r"leave (?:me|us) (?:tf |the \w+ )?alone\b(?! (?:with|in|at|for|here)\b)",
    rf"(?<!\w )(?:go away|get lost|fuck off|no more){_END}",
)
_SPANISH = (
    # no más mensajes, no quiero recibir sus textos, no me escriban más, deja de escribirme
    rf"(?:no|basta){_any('quiero deseo recibir que me nos mas de sus tus estos los mande mandes manden envie envien')}"
    r" (?:mensajes|textos|sms|publicidad)\b",
    rf"no (?:me|nos) (?:mande|envie|escriba|contacte|moleste|textee|llame)[sn]? mas{_END}",
    rf"no (?:me|nos) (?:escriba|contacte|moleste|textee)[sn]?{_END}",
    r"(?:dej|par)(?:a|e|en|ad|ar) de (?:escribir|mandar|enviar|molestar|contactar|llamar|textear)(?:me|nos)\b",
    r"dejar de recibir(?: (?:mas|sus|tus|estos|los))* (?:mensajes|textos|sms|publicidad)\b",
    # sáquenme de su lista, borre mi número, quiero darme de baja, déjenme en paz; no más
    r"(?:quit[ae]n?|borr[ae]n?|elimin[ae]n?|saca|saquen?)me de (?:la|su|tu|esta) lista\b",
    r"(?:borr|elimin|quit)(?:a|e|en|ar) mi numero\b",
    r"(?:(?:dar|da|de|den)me|me (?:quiero|quisiera|gustaria) dar) de baja\b",
    r"dej[ae]n?me (?:en paz|tranquil[oa])\b",
    rf"(?<!\w )(?:(?:ya )?no mas|ya basta){_END}",
)
_FRENCH = (
    # arrêtez de m'écrire, ne me contactez plus, je ne veux plus de messages, plus de SMS
    r"(?:arret(?:e|es|ez|er) (?:vos|ces|les)|stop aux) (?:messages|sms|textos)\b",
    r"ne plus (?:me|m|nous) ?(?:ecrire|envoyer|contacter|deranger|appeler)\b",
    r"arret(?:e|es|ez|er) d[e ]{0,2}(?:me|m|nous)? ?(?:ecrire|envoyer|contacter|deranger|harceler|texter|appeler)\b",
    r"ne ?(?:me|m|nous) ?(?:ecris|ecrivez|contacte[sz]?|envoie|envoyez|derangez?|appele[sz]) plus\b",
    r"ne (?:veux|souhaite|desire) plus (?:recevoir|etre contactee?|(?:de |vos |ces )(?:messages|sms|textos))\b",
    rf"(?<!\w )plus (?:de|aucun) (?:messages?|sms|textos?){_END}",
    # désabonnez-moi, retirez-moi de la liste, supprimez mon numéro, laissez-moi tranquille
    r"(?:desabonne[rz]|desabonne moi|desinscri(?:re|vez|ption)|desinscris moi)\b",
    r"(?:retire|enleve|supprime|efface)[rz]? (?:(?:moi )?de (?:la|votre|ta|cette|vos) listes?|mon numero)\b",
    r"laisse[rz]? (?:moi|nous) (?:tranquilles?|en paix)\b",
)
_PORTUGUESE = (
    # parem de me mandar mensagens, não me mandem mais, não quero receber mensagens
    r"(?:par|deix)[ae]m? de (?:me (?:enviar|mandar|escrever|contatar|ligar)|(?:enviar|mandar) (?:me|mensagens|sms))\b",
    rf"nao (?:me )?(?:mand|envi)(?:e|em|a|am) mais(?: (?:mensage(?:ns|m)|sms)\b|{_END})",
    r"nao (?:quero|desejo)(?: (?:mais|receber|suas|essas|estas))* (?:mensage(?:ns|m)|sms)\b",
    r"nao me (?:contatem?|incomodem?|perturbem?|escrevam?)\b",
    # me tire da lista, remova meu número, quero me descadastrar, me deixe em paz
    r"(?:tir|remov|retir|exclu)(?:a|e|em|am|ar|ir)(?: me)? (?:d(?:a|essa|esta) (?:sua )?lista|(?:o )?meu numero)\b",
    r"(?:descadastr(?:ar|e|em)|me deix[ae]m? em paz)\b",
)
_GERMAN = (
    # bitte keine Nachrichten mehr, hören Sie auf mir zu schreiben, schreiben Sie mir nicht mehr
    r"(?:bitte|will|mochte|moechte) keine (?:weiteren )?(?:sms|nachrichten|werbung)\b",
    rf"(?<!\w )keine (?:weiteren )?(?:sms|nachrichten|werbung)(?: mehr)?{_END}",
    r"(?:hor|hoer)(?:e|t|en sie)? (?:bitte )?auf mi(?:r|ch) (?:\w+ )?zu (?:schreiben|schicken|senden|texten|nerven)\b",
    r"(?:schreib|schick|kontaktier)(?:e|t|en sie)? (?:mir|mich|uns) (?:bitte )?(?:nicht|nichts mehr|keine \w+ mehr)\b",
    r"bitte (?:mir |mich )?nicht mehr (?:schreiben|anschreiben|kontaktieren)\b",
    # ich möchte mich abmelden, nehmen Sie mich von der Liste, löschen Sie meine Nummer, lassen Sie mich in Ruhe
    r"mich (?:bitte )?(?:abmelden|austragen|(?:von|aus) (?:der|ihrer|dieser|eurer) liste)\b",
    r"(?:loschen|loeschen) sie (?:bitte )?meine nummer\b",
    r"lass(?:t|en sie)? (?:mich|uns) (?:bitte )?in ruhe\b",
)
_REQUEST = re.compile(f" (?:{'|'.join(_ENGLISH + _SPANISH + _FRENCH + _PORTUGUESE + _GERMAN)})")

# The first words of all these patterns.
_FIRST_WORDS = _set(
    "arrete arreter arretes arretez basta bitte borra borrame borranme borrar borre borreme borren borrenme cancel "
    "cease dame darme deixa deixam deixe deixem deja dejad dejame dejanme dejar deje dejeme dejen dejenme delete deme "
    "denme desabonne desabonner desabonnez descadastrar descadastre descadastrem desinscription desinscrire "
    "desinscris desinscrivez discontinue do don donot dont drop efface effacer effacez elimina eliminame eliminanme "
    "eliminar elimine elimineme eliminen eliminenme end enleve enlever enlevez erase exclua excluam excluar exclue "
    "excluem excluir fuck get go hoer hoere hoeren hoert hor hore horen hort keine kontaktier kontaktiere "
    "kontaktieren kontaktiert laisse laisser laissez lass lassen lasst leave loeschen loschen lose me mich mochte "
    "moechte nao ne nem nemappeles nemappelez nemcontacte nemcontactes nemcontactez nemderange nemderangez neme "
    "nemeappeles nemeappelez nemecontacte nemecontactes nemecontactez nemecris nemecrivez nemederange nemederangez "
    "nemeecris nemeecrivez nemeenvoie nemeenvoyez nemenvoie nemenvoyez nenous nenousappeles nenousappelez "
    "nenouscontacte nenouscontactes nenouscontactez nenousderange nenousderangez nenousecris nenousecrivez "
    "nenousenvoie nenousenvoyez never no not opt opting optingout optout para parad param parar pare parem paren plus "
    "pull quit quita quitame quitanme quitar quite quiteme quiten quitenme remova removam removar remove removem "
    "removir retira retiram retirar retire retirem retirer retirez retirir revoke sacame saqueme saquenme schick "
    "schicke schicken schickt schreib schreibe schreiben schreibt stop supprime supprimer supprimez take tira tiram "
    "tirar tire tirem tirir un unsubcibe unsubcribe unsubscibe unsubscribe unsuscibe unsuscribe will withdraw ya"
)
# Most texts have none of these, and looking for them costs a tenth of what looking for the patterns does.
_TELLING = _FIRST_WORDS | _OPT_OUT_WORDS

_VERB = r"(?:stop|quit|end|cancel|cease|opt|unsubscribe|remove|delete|erase|take|get|leave|lose)\b"
_WE = "(?:you|u|i|we|they|he|she)"
# Turns of phrase that hold the words of a request and are none.
_HARMLESS = (
    # don't stop texting me, I never want you to stop; but not "if you don't stop" and "I can't unsubscribe"
    rf"(?<!if you )(?:{_DONT}|didnt|wont|not|non)(?: (?:ever|even|just|really|to|(?:want|need)(?: you)?))* {_VERB}",
    r"(?:cant|cannot) (?:even |just )?(?:stop|quit)\b",
    # I'll stop texting you, why did you stop texting me, once you remove me; but not "how do I stop these texts"
    rf"(?<!do )(?<!can )(?<!how )(?<!could )(?:i|ill|id|we|they|he|she)(?: (?:will|would|should|just|never))* {_VERB}",
    rf"(?:did|if|when(?: do)?|once|until|unless|after|before|because) {_WE} {_VERB}",
    r"(?:bus|train|truck|pit|next|last|full|one|my|your|our|the|a|this|every) stop\b",
    # I have no more messages, you never text me; no dejes de escribirme, vous ne m'écrivez plus
    r"(?:have|had|has|are|is|was|were|be|got|get|getting|see|received|hay|tengo) no\b",
    rf"(?<!that ){_WE}(?: (?:just|really))? (?:do ?n[o ]?t|never|no longer) (?:text|message|msg|call|write|contact)\b",
    r"(?:no|nao)(?: (?:quiero|quero|vas|voy|va|vou|a|me))* (?:dej|par|deix|dar)\w* de\b",
    r"(?:vous|tu|il|elle|on|ils) ne\b",
)
_EXCUSE = re.compile(f" (?:{'|'.join(_HARMLESS)})")


def is_suspected(body: str) -> bool:
    """Tell whether the message asks in ordinary words to get no more texts; False where the keyword is the message.

    A guess, in English, Spanish, French, Portuguese and German: good for a flag or a hold, never for an opt-out.
    """
    words = _plain(body[:_EXAMINED])
    if _TELLING.isdisjoint(words):
        return False
    if not (_is_courteous_keyword(words) or _is_request(words)) or _REACTION.match(body):
        return False
    found = keyword(body)
    return found is None or found.kind != "opt_out"


def _plain(text: str) -> list[str]:
    """Return the words of the form of the text that the patterns read."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.replace("’", "'").replace("´", "'"))
        text = _NON_ASCII.sub(" ", _MARKS.sub("", text))
    text = text.encode("ascii").translate(_PLAIN, b"'`").decode("ascii")
    return text.replace(".", " . ").split()


def _is_courteous_keyword(words: list[str]) -> bool:
    """Tell whether a sentence is "please stop", or the whole message "cancel, thank you"."""
    if _OPT_OUT_WORDS.isdisjoint(words):
        return False
    sentences = [_set(sentence) for sentence in " ".join(words).split(".")]
    return all(sentence <= _POLITE for sentence in sentences) or any(
        sentence <= _POLITE_STOP and not sentence.isdisjoint(_STOP_WORDS) for sentence in sentences
    )


def _is_request(words: list[str]) -> bool:
    text = " " + " ".join(words)
    # Most texts end at the first search, so that the second pattern costs them nothing.
    return _REQUEST.search(text) is not None and _REQUEST.search(_EXCUSE.sub(" x", text)) is not None
