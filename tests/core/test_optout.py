"""Both levels against what people write. The words are those of the design; the traps were met by other systems."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.optout import Keyword, is_suspected, keyword

OPT_OUT = (
    *("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "REMOVE"),
    *("ARRET", "PARAR", "ALTO", "BAJA", "CANCELAR", "SAIR", "STOPP", "ABMELDEN"),
)
KINDS = (
    dict.fromkeys(OPT_OUT, "opt_out")
    | dict.fromkeys(("START", "UNSTOP", "YES"), "opt_in")
    | dict.fromkeys(("HELP", "INFO", "AYUDA", "AIDE"), "help")
)


def fullwidth(word: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in word)


GUISES = {
    "as it is": "{}",
    "lower case": "{lower}",
    "capitalised": "{capitalised}",
    "mixed case": "{mixed}",
    "fullwidth": "{fullwidth}",
    "circled": "{circled}",
    "mathematical bold": "{bold}",
    "full stop": "{}.",
    "exclamation": "{}!!!",
    "question": "{}?",
    "ellipsis": "{}…",
    "inverted exclamation": "¡{}!",
    "spaces": "  {}\t \n",
    "no-break and ideographic spaces": "\u00a0{}\u3000",
    "straight quotes": '"{}"',
    "single quotes": "'{}'",
    "curly quotes": "“{}”",
    "guillemets": "« {} »",
    "brackets": "[({})]",
    "asterisks and underscores": "*_{}_*",
    "emoji before": "🛑 {}",
    "emoji after": "{}🙏",
    "emoji with a skin tone": "{} 👎🏽",
    "emoji joined": "{}👩‍👩‍👧",
    "emoji with a variation selector": "{}❗️",
    "flag": "{}🇺🇸",
    "keycap": "{} #️⃣",
    "zero-width characters": "\u200b{}\u200d\ufeff",
    "direction marks": "\u202a{}\u202c",
    "NUL": "{}\x00",
    "lone surrogate": "\ud83d{}\ude02",
    "spelled with spaces": "{spaced}",
    "spelled with hyphens": "{hyphened}",
    "zero-width characters inside": "{joined}",
    "accents": "{accented}",
    "a hundred exclamation marks": "{}" + "!" * 100,
    "a hundred emoji": "😡" * 50 + "{}" + "😡" * 50,
}


def guised(word: str, guise: str) -> str:
    return guise.format(
        word,
        lower=word.lower(),
        capitalised=word.capitalize(),
        mixed="".join(letter.lower() if place % 2 else letter for place, letter in enumerate(word)),
        fullwidth=fullwidth(word),
        circled="".join(chr(ord(letter) - ord("A") + 0x24B6) for letter in word),
        bold="".join(chr(ord(letter) - ord("A") + 0x1D400) for letter in word),
        spaced=" ".join(word),
        hyphened="-".join(word),
        joined="\u200b".join(word),
        accented="".join(letter + "\u0301" for letter in word),
    )


@pytest.mark.parametrize("guise", GUISES.values(), ids=GUISES.keys())
@pytest.mark.parametrize("word", KINDS)
def test_a_keyword_is_known_in_every_guise(word, guise):
    assert keyword(guised(word, guise)) == Keyword(KINDS[word], word)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("Opt-Out!", "OPTOUT"),
        ("opt out", "OPTOUT"),
        ("OPT\u2011OUT", "OPTOUT"),
        ("opt – out", "OPTOUT"),
        ("stop all", "STOPALL"),
        ("Stop-All.", "STOPALL"),
        ("stop\nall", "STOPALL"),
        ("Arrêt", "ARRET"),
        ("ARRE\u0302T", "ARRET"),
        ("« Arrêt ! »", "ARRET"),
        ("Ｓｔｏｐ！", "STOP"),
        ("ſtop", "STOP"),
        ("¡Alto!", "ALTO"),
        ("Stop 🙏🏽", "STOP"),
        ("s\u00adtop", "STOP"),
    ],
)
def test_the_canonical_word_is_told(body, word):
    assert keyword(body) == Keyword("opt_out", word)


@pytest.mark.parametrize(
    "body",
    [
        *("", " ", "!!!", "🙏🏽", "\u200b", "\x00", "\ud83d", "!" * 1000, "🙏" * 1000, "_"),
        *("STOP 12345", "STOP12345", "12345 STOP", "STOP1", "STOP²", "STOP ①", "2stop", "stop 1️⃣"),
        *("STOP PLEASE", "please stop", "STOP. Thank you", "stop stop", "STOP/END", "stop it", "stopp it", "STOPALLL"),
        *(
            "cancel my 3pm",
            "CANCEL my 3pm",
            "the end",
            "the END.",
            "I quit",
            "end of story",
            "no",
            "nonstop",
            "non-stop",
        ),
        *("don't stop", "bus stop", "stopped", "stops", "st.op", "st_op", "s'top", "ST\x00OP", "yes please", "YES!NO"),
        *("information", "help me", "starting", "Yesterday", "altos", "СТОП", "ЅТОР", "STOP" * 11, "stop " * 9),
    ],
)
def test_anything_more_or_less_than_a_keyword_is_none(body):
    assert keyword(body) is None


ADDED = frozenset(
    {"no más", "Détiens", " ARRETE! ", "durdur", "schluß", "रोको", "停止", "HELP", "YES", "!!!", "🛑", ""}
)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("NO MAS", Keyword("opt_out", "NOMAS")),
        ("no-más!", Keyword("opt_out", "NOMAS")),
        ("détiens", Keyword("opt_out", "DETIENS")),
        ("Arrêté", Keyword("opt_out", "ARRETE")),
        ("停止。", Keyword("opt_out", "停止")),
        ("Durdur", Keyword("opt_out", "DURDUR")),
        ("SCHLUẞ", Keyword("opt_out", "SCHLUSS")),
        ("STOP", Keyword("opt_out", "STOP")),
        ("help", Keyword("help", "HELP")),
        ("yes", Keyword("opt_in", "YES")),
        ("🛑", None),
        ("", None),
        ("!!!", None),
        ("no más mensajes", None),
        ("durdur 1", None),
    ],
)
def test_the_words_an_organization_adds_are_compared_like_our_own(body, found):
    assert keyword(body, ADDED) == found


def test_an_added_word_in_another_script_is_known():
    found = keyword("«रोको!»", ADDED)
    assert found is not None
    assert found.kind == "opt_out"


def test_an_added_word_opts_out_only_where_it_was_added():
    assert keyword("durdur") is None


REQUESTS = """
please stop texting me
Please stop texting me.
PLEASE STOP TEXTING ME!!!
Plz stop txting me
stop texting
Stop texting me, I'm not interested
stop messaging me
Stop sending me messages
stop sending these
Can you stop sending me texts?
Stop with the texts
stop all messages
Stop these notifications
I want you to stop texting me
You need to stop texting me
I told you to stop
I asked you to please stop
can you please stop
Could you stop, please?
why won't you stop texting me
Why don't you stop texting me?
If you don't stop texting me I will report you
How do I stop these texts?
how can i stop these messages
I want these messages to stop
I said stop!
How could I stop these texts?
Tell me how I stop these texts
I ask that you never contact me again
I'm busy, so please stop.
Stop contacting me
stop bothering me
Stop harassing me!
quit texting me
Quit sending me messages
end these messages
cancel these texts
STOP. Thank you
Stop. Thank you
STOP PLEASE
please stop
Please stop 🙏🏽
stop please 😡😡
Pls stop!!
STOP STOP STOP
STOP now
ok stop
No. Stop. I am not interested in any of this.
Hi! Please stop. Regards, Anna
stop, thank you very much. stop
STOP, not interested
Stop - wrong number
stop blowing up my phone
please stop all communication
do not send anymore texts
Stop with the spam
Stop sending this
stop texting my phone
please discontinue these messages
I wish to stop receiving texts
I want to stop getting texts
never message me again
Please leave us alone
I am opting out of your texts
Can I unsubscribe
please unsubscribe my number
Take this number off your list
No more political texts
please never contact me
cease and desist
put me on your do not call list
unsubscribe me please
Please unsubscribe
I want to unsubscribe
how do i unsubscribe
unsubscribe from this list
I can't unsubscribe from these texts
unsuscribe
Unsubscribe, thanks
please opt me out
Please opt-out
I would like to opt out of these messages
opt me out!
I'd like to opt out
take me off your list
Take me off this list please
please take me off of your mailing list
take my number off your list
get me off this list
Take me off.
remove me
Remove me from your list
please remove me from this group
remove my number from your database
Wrong number, remove me
wrong number. Please remove me
delete my number
Please delete this number
lose my number
no more messages
No more texts please
no more text messages!
I want no more texts
no texts please
no more
do not contact me again
Do not contact me
don't contact me again
Don't text me
don’t text me anymore
don´t text me again
dont message me ever again
never text me again
I asked you not to text me
Do not text this number
don't call me again
don't send me any more texts
Please do not send any more messages
don't send me anything
do not send me messages
I don't want your texts
I don't want to receive these messages
I no longer wish to receive messages
I do not wish to be contacted
don't want to hear from you
I don't want you texting me
I do not consent to these messages
I revoke my consent
I hereby withdraw my consent.
leave me alone
LEAVE ME ALONE!!!
leave me the hell alone
Who is this? Leave me alone
go away
cancel please
please cancel
End, thank you
quit thanks
remove please
stop end quit
unsub pls
stop🙏texting🙏me
ｐｌｅａｓｅ　ｓｔｏｐ　ｔｅｘｔｉｎｇ　ｍｅ
no mas mensajes
No más mensajes por favor
no más
Deja de escribirme
dejen de mandarme mensajes
Ya no me escriban más
no me contacten
No quiero recibir más mensajes
no me mandes mas mensajes
para de escribirme
quiero dejar de recibir sms
sáquenme de su lista
borren mi número
quiero darme de baja
Déjenme en paz
Alto por favor
stop, gracias
arrêtez de m'écrire
Arrêtez de m’écrire
arrete de m'envoyer des messages
arrêtez de me contacter svp
ne m'écrivez plus
Ne me contactez plus !
je ne veux plus recevoir vos messages
je ne souhaite plus de sms
plus de sms svp
désabonnez-moi
je veux me désabonner
retirez-moi de votre liste
supprimez mon numéro
laissez-moi tranquille
stop svp
STOP merci
Arrêtez vos sms
stop aux sms
merci de ne plus m'envoyer de messages
veuillez me retirer de votre liste
basta de mensajes
arrêtez s'il vous plaît
parem de me mandar mensagens
pare de enviar mensagens
não quero mais receber mensagens
não me mandem mais mensagens
não me contate mais
me tire da lista
remova meu número
me deixe em paz
quero me descadastrar
bitte keine Nachrichten mehr
Ich möchte keine SMS mehr erhalten
keine SMS mehr!
hören Sie auf mir zu schreiben
Hör auf mir zu schreiben
schreiben Sie mir nicht mehr
Bitte kontaktieren Sie mich nicht mehr
ich möchte mich abmelden
nehmen Sie mich von der Liste
Löschen Sie meine Nummer
lassen Sie mich in Ruhe
Bitte nicht mehr schreiben
Stopp bitte
"""

CHATTER = """
don't stop
Don't stop!
do not stop
don't stop texting me
Please don't stop texting me
never stop texting me
don't ever stop messaging me
I don't want you to stop texting me
can't stop laughing
Can't stop. Won't stop.
I can't stop texting him
he won't stop texting me
I'll stop texting you now
I will stop bothering you
I should stop texting at work
why did you stop texting me
Why did you stop sending me messages?
did you stop texting me?
if you stop texting me I will be sad
when you stop texting me I miss you
stop texting him
you should stop texting and drive
bus stop
I'm at the bus stop
at the bus stop texting mom
See you at the next stop.
full stop
STOP 12345
stop 5
We have got to STOP this bill!!
stop by at 5
Please stop by at 5
please stop by the office
stop sign
I ran a stop sign
non-stop
non-stop texts all day
nonstop
Stop worrying about it
stop at the store
stop and get milk
Where to stop?
Will it stop?
I need to stop.
when will the rain stop
one-stop shop
pit stop
Is this my stop?
the stop please
it stopped
Stopping by later
unstoppable
the end
The End.
end of story
weekend
in the end it worked
this is the end
my friend
quit my job
I quit my job today
I quit.
Never quit
cancel my 3pm
CANCEL my 3pm
Can you cancel my appointment?
Cancel. I'm ill today
please cancel my order
cancel the order please
I need to cancel
I had to cancel
I can't unsubscribe from life
don't unsubscribe me
I don't want to unsubscribe
Did you unsubscribe?
I want to unsubscribe from Netflix
don't opt me out
I opted for the blue one
what are my options
can I opt out of the meeting
remove the second item
remove me from the 3pm class
don't remove me
did you remove me from the list?
take me off speaker
take me off the schedule for Friday
don't take me off the list
they took me off the list
take me out to dinner
get me off work early
I got off at the next exit
get me out of here
I lost my number
I don't want to lose my number
can I lose my number?
no more milk
I have no more messages
there are no more messages
I got no messages
no more texts left
no more questions
no message
there is no text
No texts today? Are you ok?
when do you stop texting reminders
oh stop it 😂, you're making me blush
the messages stop at midnight
drop me off at 5
Stop & Shop
Press the stop button
Stop joking around
I can't stop texting!
I can’t stop texting!
I can´t stop texting!
Yes, cancel it
ok, end
remove me as admin
please remove me for Tuesday
I am afraid to lose my number
I need to go away.
uno no más
stop lying
please stop the delivery
stop 4 is next
We stop serving at 9
Let me know if I should stop by
my phone stops alerts
the alarm should stop soon
end the call
Cancel culture
Please cancel my subscription to the magazine
remove the charge from my bill
delete my account
get me off the hook
I want you to send more messages
Please send me more messages
I love these texts, don't stop
please don't text me at work
don't send me the file yet
I did not consent to the surgery
let's get lost together
no quiero ir
no me escribas en inglés
il ne m'appelle plus
arrête de rire
plus de temps
keine Zeit
eu paro de trabalhar às 6
Sorry, wrong number
Yes, stop by
don't forget to text me
don't hesitate to contact me
Don't text me until Friday
don't text me while I'm driving
Don't call me, text me
don't call me at work
you never text me
you don't text me anymore
why don't you text me
Why not text me?
If you don't text me I'll call
text me when you land
contact me tomorrow
please contact me again
don't text and drive
I didn't get your messages
I don't want to miss your messages
I do not want to go
don't leave me alone
he won't leave me alone
leave me alone with him
leave it at the door
I want to go away for the weekend
I consent
revoked
Yes, I'd like to confirm my appointment
Thanks for the update!
Hi, this is Anna. Can we move the meeting to 3pm tomorrow?
Liked “Reply STOP to unsubscribe”
Loved "Text STOP to opt out"
Disliked “Please stop texting me”
Laughed at “no more messages”
Reacted 😂 to “Reply STOP to opt out of these texts”
Removed a like from “Reply STOP to unsubscribe”
👍 to “ Reply STOP to opt out ”
no dejes de escribirme
no pares de escribirme
no me escribes nunca
no me mandes flores
no quiero darme de baja
hay no más mensajes
para la próxima semana
vivo en la planta baja
música en alto
deja de llover
vous ne m'écrivez plus
n'arrête pas de m'écrire
plus de détails svp
je veux plus de messages
arrêt de bus
não pare de me escrever
parar o carro
sair de casa
ich habe keine Nachrichten bekommen
ich bekomme keine Nachrichten mehr
du schreibst mir nicht mehr
hör auf zu lachen
ich melde mich ab morgen
"""


def lines(table: str) -> list[str]:
    return table.strip().splitlines()


@pytest.mark.parametrize("body", lines(REQUESTS))
def test_a_request_in_ordinary_language_is_suspected_and_not_detected(body):
    assert is_suspected(body)
    assert keyword(body) is None


@pytest.mark.parametrize("body", lines(CHATTER))
def test_chatter_is_neither_detected_nor_suspected(body):
    assert not is_suspected(body)
    assert keyword(body) is None


@pytest.mark.parametrize("word", KINDS)
def test_a_detected_keyword_is_not_suspected_too(word):
    assert not is_suspected(word)
    assert not is_suspected(f"“{word.lower()}!”")


def test_a_request_is_found_at_the_end_of_a_long_text():
    assert is_suspected("Thank you for asking. " * 90 + "Please stop texting me.")


def test_only_the_front_of_an_endless_text_is_examined():
    assert not is_suspected("la " * 100_000 + "please stop texting me")


HOSTILE = (
    *("stop ", "stop all ", "please ", "no more ", "never want ", "take me off the ", "do not send me any ", "texts "),
    *(
        "stop the the the ",
        "me deja de ",
        "!",
        "! ",
        ".",
        " ",
        "\u0301",
        "\ud83d",
        "\x00",
        "a\u0301",
        "\ufdfa",
        "😡",
        "x",
    ),
    *("i just never ", "do not want to ", "not to ever really ", "no quiero ", "liked ", "reacted "),
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_megabyte_of_anything_gets_an_answer(piece):
    body = piece * (1_000_000 // len(piece))
    assert keyword(body) is None
    assert isinstance(is_suspected(body), bool)


ANY = st.text(alphabet=st.characters(), max_size=200)
PIECES = """stop please no more don't texts me all off take your list . , ! you STOP remove 🙏 é \x00 \ud83d"""
WORDS = st.lists(st.sampled_from(PIECES.split())).map(" ".join)


@given(ANY | WORDS)
def test_any_string_gets_an_answer_and_never_both(body):
    found = keyword(body)
    suspected = is_suspected(body)
    assert not (suspected and found is not None and found.kind == "opt_out")


@given(st.sampled_from(sorted(KINDS)), st.text(alphabet=st.characters(categories=["Zs", "Cc", "Cf", "Po", "Pd", "Sk"])))
def test_nothing_but_letters_and_digits_hides_a_keyword(word, edge):
    # A few punctuation characters stand for letters once they are decomposed.
    if not any(character.isalnum() for character in unicodedata.normalize("NFKD", edge)):
        assert keyword(edge + word + edge) == Keyword(KINDS[word], word)


@given(ANY)
def test_a_canonical_word_stands_for_itself(word):
    found = keyword(word, frozenset({word}))
    assert found is None or keyword(found.keyword, frozenset({word})) == found
