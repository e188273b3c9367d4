"""The picture that a customer sends in the demo: a garden after the rain, 96 by 64 pixels."""

#: What is sent in the demo: a picture that is in its URL (RFC 2397), so that the demo asks nobody outside for it.
GARDEN = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAGAAAABABAMAAAAXGm89AAAAGFBMVEV+sN6oy+jr8PVGeDxqoEjEQFj6zUZcSDRSjESOAAABUklEQVR42u2T3X"
    "XDIAyF78kG6QTpDKYTxO0Chi5ghxW6fiExjf7A5q3JCQ8+YOmTuJLACXodjH84GbtHRfBC9iCHh0fwD5EjX29HY72TPZR1A4FhbSJg+XYgEFfc"
    "RKBUbSAwCtFEYNaugaBS7iqCaocqCBpNNRE058BAsDE6CsHmtAkEOwaUIdg10wTB6Mbz2PFBp/8Znf4jOv1H1G3eNBTRXtlC8A3RySpt4TJx14"
    "mKDhd5gY/vGJh/inkX/ZmtIreMkc5EdDrJC+dbkmOOSUSHMCmB3tQEpih/5rJzPOdal9JpV2wxLutuEDk967QrvxMgY8zURXb6K8YoYtxz0k7/"
    "XTjGWcQoOZ093tls5xz0eF9lLbK8PCdUqxz1n1VOKlq3+6Z3scY7fa4Dxft10+tqbzqPF+sXqbH5ptcBVnpd9U17u8bDzjdt1tjhp3M9A/AL1W"
    "jh7YuagCgAAAAASUVORK5CYII="
)
