"""The words that one-time codes come with, language by language, as one pattern that says what kind of word it found.

`strong` words speak of verification ("one-time password", "验证码"). `weak` ones say only that there is a code. `other` ones
name another kind of code ("promo code", "zip code"), and `offer` ones speak of a sale, where a weak word means such a one.
No pattern repeats anything without a bound, so that the engine never goes back far.
"""

import re
from typing import Literal, NamedTuple


class Cue(NamedTuple):
    """A word that codes come with, and where it stands."""

    start: int
    end: int
    kind: Literal["strong", "weak", "other"]


_LATIN = """
# English
one[- ]?time[- ](?:(?:security|verification|login|access|authentication|authori[sz]ation) )?(?:pass(?:word|code|key)?
 |pin|code)
(?:verification|verify|security|log-?in|log in|sign-?in|sign in|sign-?up|authentication|authenticator|authenticate
 |auth
 |authori[sz]ation|activation|access|confirmation|registration|validation|identity|2-?step|two-?factor|two-?step|2fa
 |mfa|guard
 |temporary|recovery|reset|sms|device|payment|secure)(?:[- ](?:verification|security|access
 |log-?in))?[- ](?:pass)?(?:codes?|pin|password|key)
verification[- ](?:number|pin)
pass[- ]?codes?|otp(?:s|[- ]?code)?|e?otac|m-?tan|(?:sms|push|photo)-?tan|verification
codes? (?:(?:below|above) )?(?:to|for) (?:verify|verif|log ?in|log-in|sign|confirm|authenticat|authori|reset|access
 |complet|activat|register|logging|signing)
to (?:verify|authenticate|log ?in|log-in|sign ?in|sign-in|sign ?up)|to reset your password
to (?:confirm|activate|access|complete|finish|secure) (?:your |the |this )?(?:account|phone|mobile|e-?mail|identity
 |log-?in|number|registration|sign|verification|device)
to (?:continue|finish) (?:signing|logging|registering)
# Spanish, Portuguese
c[óo]digo (?:de |para )?(?:verifica|seguran|segurid|acces|acess|confirma|autoriza|autentica|inicio|iniciar|activa
 |ativa|um[ -]uso|un solo uso
 |[úu]nico|tempor|login|ingres|entrar|valida|registro)[^\\W\\d_]{0,8}
(?:clave|contrase[ñn]a|senha|palavra-passe) (?:de (?:acces|acess|segurid|un solo uso|uso [úu]nico|uma? [úu]nic)
 |din[áa]mica|tempor|[úu]nica|token|otp|sms)[^\\W\\d_]{0,8}
# French
code (?:de |d['’])?(?:v[ée]rification|s[ée]curit[ée]|confirmation|validation|connexion|activation|authentification
 |acc[èe]s|secret|temporaire|sms)
(?:code|mot de passe) [àa] usage unique|mot de passe temporaire
# German
(?:best[äa]e?tigungs|verifizierungs|verifikations|sicherheits|freischalt|aktivierungs|anmelde|login|zugangs|einmal
 |sms|authentifizierungs
 |best[äa]e?tigungs|pr[üu]f|registrierungs)-?(?:codes?|kennwort|passwort|pin|tan|kode)
# Italian
codice (?:di |d['’])?(?:verifica|sicurezza|conferma|accesso|attivazione|autorizzazione|autenticazione|temporaneo
 |monouso|otp|sms)
# Dutch
(?:verificatie|beveiligings|bevestigings|inlog|toegangs|aanmeld|activerings|activatie|controle)-?code
# Polish, Malay
kod (?:weryfikac|autoryzac|potwierdz|sms|bezpiecze|aktywac|dost[ęe]p|logowa|jednoraz|do logow
 |pengesahan)[^\\W\\d_]{0,10}
has[łl]o (?:jednorazowe|sms)
# Swedish, Danish, Norwegian
(?:verifierings|verifikations|verifiserings|bekr[äæe]ftelses|bekreftelses|s[äa]kerhets|sikkerheds|sikkerhets
 |eng[åa]ngs|inloggnings|innloggings|login
 |aktiverings|godkendelses|bekr[äa]ftelse)-?ko(?:d|de)(?:n)?
# Finnish
vahvistuskoodi[^\\W\\d_]{0,4}|kertak[äa]ytt[^\\W\\d_]{0,14}|varmennuskoodi[^\\W\\d_]{0,4}|tunnusluku[^\\W\\d_]{0,4}
# Czech, Slovak
(?:ov[ěe][řr]ovac[íi]|overovac[íi]|bezpe[čc]nostn[íiý]|potvrzovac[íi]|p[řr]ihla[šs]ovac[íi]|autoriza[čc]n[íiý]
 |sms)[- ]k[óo]d
# Hungarian
(?:ellen[őo]rz[őo]|meger[őo]s[íi]t[őo]|biztons[áa]gi|bel[ée]p[ée]si|hiteles[íi]t[őo])[- ]?k[óo]d[^\\W\\d_]{0,4}
# Romanian
cod(?:ul)?(?: t[ăa]u| dvs\\.?)? de (?:verificare|securitate|confirmare|autentificare|acces|activare)
# Turkish
(?:do[ğg]rulama|onay|g[üu]venlik|giri[şs]|aktivasyon|tek kullan[ıi]ml[ıi]k|sms) (?:kod|[şs]ifre|parola)[^\\W\\d_]{0,8}
# Vietnamese
m[ãa] (?:x[áa]c (?:nh[ậa]n|minh|th[ựu]c)|otp|b[ảa]o m[ậa]t|[đd][ăa]ng nh[ậa]p)
# Indonesian, Malay
kode? (?:verifikasi|keamanan|otp|konfirmasi|masuk|rahasia|akses|login|pengesahan|keselamatan)
"""
_OTHER_SCRIPTS = """
# Russian, Ukrainian, Bulgarian
код[^\\W\\d_]{0,3} (?:подтвержд|проверк|доступ|безопасн|авториз|активац|для входа|входа|верифик|підтвердж|перевірк
 |для вход|потвърж)[^\\W\\d_]{0,8}
(?:проверочный|одноразовый|секретный|одноразовий|смс|sms|смс-|sms-) ?(?:код|пароль)
# Greek
κωδικ[^\\W\\d_]{1,3} (?:επαλήθευσης|επιβεβαίωσης|ασφαλείας|πρόσβασης|σύνδεσης|μίας χρήσης)
# Arabic
(?:رمز|كود|رقم) (?:ال)?(?:تحقق|تأكيد|تاكيد|أمان|امان|دخول|تفعيل|مرور|سري|تسجيل)|كلمة (?:ال)?مرور
# Persian
(?:کد|رمز) (?:تایید|تأیید|تائید|ورود|فعال|یکبار|یک بار|پویا|امنیت)[^\\W\\d_]{0,6}
# Hebrew
קוד (?:ה)?(?:אימות|זיהוי|הזדהות|כניסה|חד[- ]פעמי|אבטחה)|סיסמה חד[- ]פעמית
# Hindi, Bengali, Tamil
ओटीपी|(?:सत्यापन|सुरक्षा|पुष्टि) कोड|ওটিপি|যাচাইকরণ কোড|ஓடிபி
# Thai
รหัส ?(?:ยืนยัน|otp|ความปลอดภัย|ผ่าน)
# Chinese
验证码|驗證碼|校验码|校驗碼|检验码|动态码|动态密码|動態密碼|确认码|確認碼|认证码|認證碼|安全码|安全碼|短信密码|一次性密码|一次性密碼|登录码|激活码|随机码
# Japanese
認証コード|認証番号|確認コード|確認番号|セキュリティ ?コード|ワンタイム ?(?:パスワード|コード)|検証コード
 |ログイン ?コード|暗証番号|本人確認コード|パスコード
# Korean
인증 ?번호|인증 ?코드|확인 ?코드|확인 ?번호|보안 ?코드|일회용 ?(?:비밀번호|코드)|로그인 ?코드
"""
_WEAK = """
codes?|pin(?: ?code| number)?|c[óo]digo|clave|senha|token|codice|kode?n?|koodi[^\\W\\d_]{0,4}|k[óo]d(?:ja|od|ja)?
 |cod(?:ul)?|kodu[^\\W\\d_]{0,6}
[şs]ifre[^\\W\\d_]{0,6}|m[ãa] s[ốo]|password|passwort|mot de passe|contrase[ñn]a|has[łl]o|tan|κωδικ[^\\W\\d_]{1,3}
"""
_WEAK_SCRIPTS = """
код[^\\W\\d_]{0,3}|пароль|رمز|كود|کد|קוד|कोड|รหัส|コード|코드
"""
_OTHER = """
(?:promo|promotion|promotional|discount|coupon|voucher|gift|offer|referral|refer|invite|invitation|reward|bonus
 |rabatt|gutschein|zip|postal|(?-i:post)|area|country|dial(?:l?ing)?
 |tracking|order|booking|reservation|flight|error|status|source|dress|bar|qr|gate|door|entry|entrance|building
 |lock ?box|garage|alarm|pick-?up|collection|locker|claim
 |swift|sort|bank|tax|product|item|class|course|dealer|agent|employee|wi-?fi|wifi|morse|checkout|return|refund|table
 |meeting|conference|webinar|network|lobby|parking
 |gym|loyalty|store|branch|building|house|postcode|station|airport|seat|unit|department|client|customer|member|vendor
 |supplier)[- ]?(?:pass)?(?:codes?|pin|password|number)
pin codes? of|code (?:review|base|name|word|red|blue|of conduct|switch|freeze|camp|black friday)|codebase
c[óo]digo (?:postal|promocional|de (?:barras|descuento|reserva|pedido|seguimiento|rastreio|rastreamento|desconto
 |promo[^\\W\\d_]{0,8}))
code (?:postal|promo|de r[ée]duction|de suivi|de r[ée]servation|barres|avantage)|codice (?:sconto|fiscale|postale
 |di tracciamento)
kod (?:pocztowy|rabatowy)|(?:rabat|kampanj|post|buchungs|gutschein|rabatt|aktions|korting)s?-?(?:kode?n?|code)
 |почтовый индекс
优惠码|优惠券|兑换码|邮政编码|取件码|提货码|取餐码|クーポンコード|郵便番号|招待コード|우편번호|쿠폰 ?(?:번호|코드)
"""
_OFFER = """
\\d ?% (?:off|rabatt|de descuento|de desconto|de r[ée]duction|korting|zni[żz]ki|sconto)|discounts?|coupons?|checkout
 |free shipping|promo|black friday|voucher|sale
 |flash deal|limited time|shop now|buy now|gift card|giveaway|descuento|desconto|r[ée]duction|soldes|rabatt
"""

_WORD_BEFORE, _WORD_AFTER = r"(?<![^\W\d_])", r"(?![^\W\d_])"


def _alternatives(lines: str) -> str:
    """The lines as one alternation; one that begins with a space goes on from the line before, and # is a comment."""
    return "|".join(line for line in lines.replace("\n ", "").splitlines() if line and not line.startswith("#"))


# Where a script has no spaces, or writes what belongs to a word without one, a word has no edges to look for.
_LATIN_WORDS = {"other": _OTHER, "strong": _LATIN, "weak": _WEAK}
CUE = re.compile(
    "|".join(
        [
            rf"(?P<strong_script>{_alternatives(_OTHER_SCRIPTS)})",
            *(
                rf"{_WORD_BEFORE}(?P<{kind}>{_alternatives(words)}){_WORD_AFTER if kind != 'strong' else ''}"
                for kind, words in _LATIN_WORDS.items()
            ),
            rf"(?P<weak_script>{_alternatives(_WEAK_SCRIPTS)})",
        ]
    ),
    re.IGNORECASE,
)
OFFER = re.compile(rf"{_WORD_BEFORE}(?:{_alternatives(_OFFER)}){_WORD_AFTER}", re.IGNORECASE)
