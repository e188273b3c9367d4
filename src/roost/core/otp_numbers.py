"""Which numbers and words of a text could be a one-time code, by their form and by what stands right beside them."""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Candidate(NamedTuple):
    """What could be a code; `code` without the gaps in it."""

    start: int
    end: int
    code: str
    is_number: bool


# --- What could be a code.

# Digits in groups, taken whole, so that a date, a price or a phone number is seen as what it is; or letters and digits.
# An atomic group, because the first releases of Python 3.11 get a possessive repeat of a group wrong.
_RUN = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?P<number>(?:(?P<prefix>[A-Z]{1,4})-)?(?>\d+(?:[-.,:/ ]\d+)*))(?![A-Za-z0-9])"
    r"|(?P<word>[A-Za-z0-9]{3,10}(?:-[A-Z0-9]{3,5})?)(?![A-Za-z0-9-])"
    r")"
)
_GROUPED = re.compile(r"\d{3}[- ]\d{3}|\d{4}[- ]\d{4}|\d{2} \d{2} \d{2}|\d{3} \d{2} \d{3}|\d(?:[- ]\d){3,7}")
# What a run of digits in groups is, if it is no code: a date, a time, a price, a version or an address of the network.
_NO_CODE = re.compile(
    r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?: .*)?|\d{1,2}:\d\d(?::\d\d)?(?: .*)?|\d{1,3}(?:[, ]\d{3})*[.,]\d{1,2}|\d{1,3}(?:,\d{3})+"
    r"|\d+(?:\.\d+){2,}|\d{1,2}/\d{2,4}"
)
# Capitals with a digit; small letters with a digit; either with two digits.
_MIXED = re.compile(
    r"(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*\d)[A-Z0-9-]{5,11}|(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{6,8}"
    r"|(?=\D*\d\D*\d)(?=[0-9]*[A-Za-z])[A-Za-z0-9]{6,8}"
)
# A number with what it counts, or a currency or a mask before it.
_MEASURE = re.compile(
    r"\d+(?:st|nd|rd|th|min|mins|m|h|hr|hrs|s|sec|secs|d|k|km|kg|mb|gb|tb|g|p|fps|pm|am|x|pts|days?|hours?|minutes?)"
    r"|(?:rs|inr|usd|eur|gbp|rm|php|ngn|kes|aed|sar|cad|aud|sgd|hkd|rp|idr|x+|n|no|nr|id|ref|ac|utr|txn|awb|wk|q|fy|v)\d+",
    re.IGNORECASE,
)


def candidates(text: str) -> Iterator[Candidate]:
    """What has the form of a code, in order."""
    for run in _RUN.finditer(text):
        if run["word"] is not None:
            if _MIXED.fullmatch(run["word"]) and not _MEASURE.fullmatch(run["word"]):
                yield Candidate(run.start(), run.end(), run["word"], is_number=False)
        else:
            yield from _numbers(run, len(run["prefix"]) + 1 if run["prefix"] else 0)


def _numbers(run: re.Match[str], skipped: int) -> Iterator[Candidate]:
    digits, start = run[0][skipped:], run.start() + skipped
    if digits.isdigit():
        if 4 <= len(digits) <= 8:
            yield Candidate(start, run.end(), digits, is_number=True)
    elif _GROUPED.fullmatch(digits):
        yield Candidate(start, run.end(), digits.replace("-", "").replace(" ", ""), is_number=True)
    elif not _NO_CODE.fullmatch(digits) and not _is_phone(digits):
        # Numbers that happen to stand side by side.
        for part in re.finditer(r"[^ ,:.]+", digits):
            if part[0].isdigit() and 4 <= len(part[0]) <= 8:
                yield Candidate(start + part.start(), start + part.end(), part[0], is_number=True)


def _is_phone(digits: str) -> bool:
    groups = re.split(r"\D", digits)
    return "-" in digits or (len(groups) > 2 and sum(map(len, groups)) > 8)


# --- What else a number can be, by what stands before and after it.


def _any(lines: str) -> str:
    return f"(?:{'|'.join(lines.split())})"


_MONEY_BEFORE = _any(r"usd eur gbp inr rs\.? rm r\$ php ngn kes aed sar sek nok dkk chf pln idr rp\.? mxn brl cad aud")
_NUMBERED = _any(
    r"""order invoice ref(?:erence)? booking ticket case tracking acct a/c txn transaction trx policy flight customer inv ord tkt
    member(?:ship)? pnr awb parcel package shipment request claim bill meter receipt utr imei serial model train bus line route
    lot version extension ext batch id iban isbn sku vin ssn last\s(?:four|4)(?:\sdigits)? account card
    pedido commande bestellung sendung paket factura facture rechnung ordine konto compte cuenta conta carte tarjeta karte
    cart[ãa]o заказа? карт[а-я]* сч[её]т[а-я]*"""
)
_CALLED = _any(
    r"""call dial tel phone fax mobile text (?:text|send|reply|sms)(?:\s\w{1,12})?\sto llame\sal llama\sal appelez\sle
    anrufen\sunter"""
)
_PLACE = _any(
    r"""suite ste apt unit room zimmer floor gate box plz bldg zip zone platform building block flat house km street stra[ßs]+e
    rue calle"""
)
_MASKED = _any(
    r"""\b(?:ending|ends|ended)(?:\sin|\swith|\son)?:? terminada\sen terminad[oa]\sem terminant\spar endet\sauf endend\sauf
    尾号 卡号 末尾 [*•] \bx{2,}-?"""
)
_EDGE = r"(?<![\w-])"  # T-Mobile is no phone
_BEFORE = re.compile(
    rf"(?:[$€£¥₹₽₩₫฿+]|{_EDGE}{_MONEY_BEFORE})\s?$"
    rf"|{_EDGE}{_NUMBERED}(?:\s?(?:no|nr|num(?:ber|ero)?|id|n°|nº|№)\b)?\.?\s?[:#-]?\s*(?:is\s)?#?$"
    rf"|{_MASKED}\s?$|{_EDGE}{_CALLED}\s?\.?:?\s*$|{_EDGE}{_PLACE}\.?\s?#?$"
    # A time of day, a zip code, a part of something longer, a year.
    r"|\b(?:at|um|by|from) $|, [A-Z]{2} $|(?<!code )(?<!pin )(?<!is )#$|[/=&@_.]$|№\s?$"
    r"|\bin (?:the )?(?:year )?$|\b(?:since|until|copyright|\(c\)) ?$|©\s?$",
    re.IGNORECASE,
)
_MONEY_AFTER = _any(
    "usd eur gbp inr dollars? euros? pesos reais rupees? руб грн zł kr kč ft tl 円 元 원 บาท đ vnd lei chf"
)
_COUNTED = _any(
    """min(?:ute)?s? hours? hrs? sec(?:ond)?s? days? weeks? months? years? points? pts miles? km kg mb gb steps people items?
    digits? am pm uhr 分钟 分鐘 分間 分 秒 小时 日 月 年 년 월 일 분"""
)
_STREET = _any("""St Street Ave Avenue Rd Road Blvd Boulevard Dr Drive Ln Lane Way Ct Court Pl Place Pkwy Hwy""")
_AFTER = re.compile(
    rf"(?i:\s?(?:[€£¥₹₽₩₫฿$%°]|{_MONEY_AFTER}(?![^\W\d_])|{_COUNTED}(?![a-z])))"
    rf"|\s(?:[NSEW]\.? )?(?:[A-Z][\w.'-]{{1,20}} ){{1,3}}{_STREET}\b|[@_=&]|/\w|\.\w{{2,}}"
)
_LOOKED_AT = 40


def is_something_else(text: str, candidate: Candidate) -> bool:
    """Whether what stands right beside it says that it is a price, a reference, a phone or card number, a place, a time."""
    before = text[max(0, candidate.start - _LOOKED_AT) : candidate.start]
    after = text[candidate.end : candidate.end + _LOOKED_AT]
    if before.endswith("*") and after.startswith("*"):  # bold, and no mask
        before, after = before.rstrip("*"), after.lstrip("*")
    return _BEFORE.search(before) is not None or _AFTER.match(after) is not None
