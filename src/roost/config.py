"""Settings: an environment variable `ROOST_<NAME>` each, or the option of the same name."""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from roost.core.addresses import Network, networks

#: More segments a second than any number sends.
MAX_RATE = 10_000

#: More than any machine has cores for.
MAX_PROCESSES = 256

#: Each medium is in memory while it is copied, and several are at once.
MAX_MEDIA_BYTES = 100 * 1024 * 1024
#: What media may be kept in besides a folder.
BUCKETS = ("s3", "gs", "az")

LogLevel = Literal["debug", "info", "warning", "error"]


class ConfigError(Exception):
    """A setting has a value that cannot be used; the message is the one line to show."""


class Setting(NamedTuple):
    """One row of the settings table, which the README and the option's help are made from."""

    name: str
    default: str
    help: str

    @property
    def variable(self) -> str:
        return f"ROOST_{self.name.upper()}"


#: Bandwidth's API reference, "Messaging", server URL.
BANDWIDTH_URL = "https://messaging.bandwidth.com/api/v2"
SETTINGS = (
    Setting("data_dir", "./roost-data", "Folder of the SQLite database, the secret key and, in the demo, demo.json."),
    Setting(
        "database_url", "sqlite", "postgresql://USER:PASSWORD@HOST/NAME, or sqlite for a file in the data directory."
    ),
    Setting("public_url", "http://HOST:PORT", "Where the outside reaches this server; webhook URLs begin with it."),
    Setting("host", "127.0.0.1", "Address to listen on."),
    Setting("port", "8080", "Port to listen on; 0 takes any free one."),
    Setting("processes", "1", "Processes that serve together, each on a core of its own; several need PostgreSQL."),
    Setting("rate_limits", "on", "off: nothing is limited."),
    Setting("limit_sends", "100/second", "Requests to send: of each organization (A), of each wallet (B)."),
    Setting(
        "limit_reads", "600/minute", "All else that dialect B is asked for, of each wallet. A's reads are not limited."
    ),
    Setting("limit_sign_ins", "60/minute", "Wrong credentials from an address; a right one is never held up."),
    Setting("limit_keys", "10/minute", "API keys created or rotated, of each organization."),
    Setting("limit_erases", "100/hour", "Contacts erased, of each organization."),
    Setting("limit_consents", "100/second", "Consents recorded, asked for or offered as a form, of each organization."),
    Setting("limit_replays", "10/minute", "Webhook deliveries replayed, of each organization."),
    Setting(
        "redis_url", "none", "redis://HOST or rediss://HOST: where several processes count together what is limited."
    ),
    Setting(
        "segments_per_second",
        "10",
        "How fast a number sends that has no rate of its own; 0 leaves the pace to the carrier.",
    ),
    Setting("stream_heartbeat", "15", "After so many seconds of silence a stream says that it is still there."),
    Setting("max_streams", "2000", "Streams open at once in one process; one too many is answered with 503."),
    Setting("max_streams_per_org", "200", "The same, of one organization; one too many is answered with 429."),
    Setting("webhook_timeout", "15", "How many seconds the receiver of a webhook has to answer."),
    Setting("bandwidth_url", BANDWIDTH_URL, "Where Bandwidth's Messaging API is."),
    Setting(
        "oneshot_quotes",
        "on",
        "on: dialect B answers a first send with a quote, at price zero, as its clients know it; off: it sends at once.",
    ),
    Setting(
        "media_url",
        "DATA_DIR/media",
        "Where media are kept: a folder, or s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX.",
    ),
    Setting("media_max_bytes", "10485760", "The largest medium that is copied from a carrier."),
    Setting(
        "allowed_networks",
        "none",
        "Networks that are reached though they are not public, such as 10.0.0.0/8,127.0.0.1/32, for a gateway of one's own.",
    ),
    Setting(
        "secret_key", "a file", "32 bytes in base64 that encrypt stored secrets; else secret.key in the data directory."
    ),
    Setting("log_level", "info", "debug, info, warning or error; debug has a line for every request."),
)
#: Read elsewhere, and so not unknown.
_OTHER_VARIABLES = {"ROOST_TEST_DATABASE_URL", "ROOST_URL", "ROOST_API_KEY", "ROOST_AGENT", "ROOST_AGENT_TOKEN"}


class Config(NamedTuple):
    """Every setting, checked."""

    data_dir: Path
    database_url: str
    public_url: str | None
    """None: reached where it listens."""
    host: str
    port: int
    processes: int
    limits: dict[str, str]
    """By what is limited, such as "100/second"; empty: nothing is."""
    redis_url: str | None
    """None: each process counts alone."""
    segments_per_second: float
    """0: as fast as the carrier takes them."""
    stream_heartbeat: int
    """Seconds."""
    max_streams: int
    max_streams_per_org: int
    webhook_timeout: int
    """Seconds."""
    bandwidth_url: str
    oneshot_quotes: bool
    media_url: str
    """A folder's path, or a bucket's URL."""
    media_max_bytes: int
    allowed_networks: tuple[Network, ...]
    secret_key: str | None
    log_level: LogLevel

    @property
    def local_url(self) -> str:
        """Where this machine reaches the server, as long as the port is not 0."""
        return f"http://{url_host(self.host)}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def load(environ: Mapping[str, str] = os.environ, **options: Any) -> Config:
    """The settings from the options given, else from the environment. Raises ConfigError."""

    def value(name: str) -> str:
        given = options.get(name)
        return str(given) if given is not None else environ.get(f"ROOST_{name.upper()}", "").strip()

    data_dir = Path(value("data_dir") or "roost-data")
    return Config(
        data_dir=data_dir,
        database_url=_database_url(value("database_url")),
        public_url=_url("public_url", value("public_url"), "https://roost.example.com"),
        host=value("host") or "127.0.0.1",
        port=_port(value("port") or "8080"),
        processes=_whole("processes", value("processes") or "1", 1, MAX_PROCESSES),
        limits=_limits(value) if _on("rate_limits", value) else {},
        redis_url=_redis_url(value("redis_url")),
        segments_per_second=_rate(value("segments_per_second") or "10"),
        stream_heartbeat=_whole("stream_heartbeat", value("stream_heartbeat") or "15", 1, 3600),
        max_streams=_whole("max_streams", value("max_streams") or "2000", 0, 1_000_000),
        max_streams_per_org=_whole("max_streams_per_org", value("max_streams_per_org") or "200", 0, 1_000_000),
        webhook_timeout=_whole("webhook_timeout", value("webhook_timeout") or "15", 1, 60),
        bandwidth_url=_url("bandwidth_url", value("bandwidth_url"), BANDWIDTH_URL) or BANDWIDTH_URL,
        oneshot_quotes=_on("oneshot_quotes", value),
        media_url=_media_url(value("media_url")) or str(data_dir / "media"),
        media_max_bytes=_bytes(value("media_max_bytes") or "10485760"),
        allowed_networks=_networks(value("allowed_networks")),
        secret_key=value("secret_key") or None,
        log_level=_one_of("log_level", value("log_level") or "info", ("debug", "info", "warning", "error")),  # type: ignore[arg-type]
    )


def unknown_variables(environ: Mapping[str, str] = os.environ) -> list[str]:
    """`ROOST_` names that mean nothing: probably misspelt."""
    known = {setting.variable for setting in SETTINGS} | _OTHER_VARIABLES
    return sorted(name for name in environ if name.startswith("ROOST_") and name not in known)


def url_host(host: str) -> str:
    """A host as it stands in a URL: IPv6 in brackets, and an address that means "all" as loopback."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1" if host == "0.0.0.0" else "[::1]"  # noqa: S104
    return f"[{host}]" if ":" in host else host


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise ConfigError(f"ROOST_PORT must be a port from 0 to 65535, not {text!r}")
    return int(text)


def _database_url(text: str) -> str:
    if text in ("", "sqlite"):
        return "sqlite"
    if urlsplit(text).scheme in ("postgresql", "postgres"):
        return text
    # The URL may hold a password, so it is not echoed.
    raise ConfigError("ROOST_DATABASE_URL must be sqlite or begin with postgresql://")


def _redis_url(text: str) -> str | None:
    if not text:
        return None
    try:
        parts = urlsplit(text)
        if parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0:
            return text
    except ValueError:
        pass
    # The URL may hold a password, so it is not echoed.
    raise ConfigError("ROOST_REDIS_URL must look like redis://HOST:PORT or rediss://USER:PASSWORD@HOST:PORT/0")


def _limits(value: Callable[[str], str]) -> dict[str, str]:
    rates = {}
    for setting in SETTINGS:
        if setting.name.startswith("limit_"):
            text = value(setting.name) or setting.default
            if not re.fullmatch(r"[1-9][0-9]{0,8}/(second|minute|hour|day)", text):
                raise ConfigError(f"{setting.variable} must look like 100/second (or minute, hour, day), not {text!r}")
            rates[setting.name.removeprefix("limit_")] = text
    return rates


def _on(name: str, value: Callable[[str], str]) -> bool:
    return _one_of(name, value(name) or "on", ("on", "off")) == "on"


def _url(name: str, text: str, example: str) -> str | None:
    if not text:
        return None
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError(f"ROOST_{name.upper()} must look like {example}, not {text!r}")
    return text.rstrip("/")


def _media_url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if separator and (scheme not in BUCKETS or not rest.strip("/")):
        known = ", ".join(f"{each}://" for each in BUCKETS)
        raise ConfigError(f"ROOST_MEDIA_URL must be a folder, or begin with {known} and a bucket")
    return text


def _bytes(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_MEDIA_BYTES:
        raise ConfigError(f"ROOST_MEDIA_MAX_BYTES must be a number from 1 to {MAX_MEDIA_BYTES}, not {text!r}")
    return int(text)


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return () if text == "none" else networks(text)
    except ValueError:
        raise ConfigError(f"ROOST_ALLOWED_NETWORKS must look like 10.0.0.0/8,127.0.0.1/32, not {text!r}") from None


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= MAX_RATE:
        raise ConfigError(f"ROOST_SEGMENTS_PER_SECOND must be a number from 0 to {MAX_RATE}, not {text!r}")
    return rate


def _whole(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and least <= int(text) <= most):
        raise ConfigError(f"ROOST_{name.upper()} must be a whole number from {least} to {most}, not {text!r}")
    return int(text)


def _one_of(name: str, text: str, allowed: tuple[str, ...]) -> str:
    if text not in allowed:
        raise ConfigError(f"ROOST_{name.upper()} must be {' or '.join(allowed)}, not {text!r}")
    return text
