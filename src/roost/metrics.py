"""What `/metrics` tells Prometheus. docs/metrics.md explains each; a test holds the two together."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from roost.tallies import Tally, Timings

REGISTRY = CollectorRegistry()

REQUESTS = Tally("roost_requests", "Requests answered", ["route", "status"], REGISTRY)
LATENCY = Timings(
    "roost_request_seconds",
    "Time from request to answer",
    "route",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
    REGISTRY,
)
INTAKE = Tally("roost_intake_events", "Events that carriers delivered", ["carrier", "outcome"], REGISTRY)
BACKFILLED = Counter(
    "roost_backfilled_events", "Events read from carriers' own records", ["carrier", "outcome"], registry=REGISTRY
)
AHEAD = Gauge("roost_position_ahead_seconds", "How far the newest position is ahead of the clock", registry=REGISTRY)
OUTBOX = Gauge("roost_outbox_messages", "Messages in the outbox", ["state"], registry=REGISTRY)
SEND_ATTEMPTS = Counter(
    "roost_send_attempts", "Tries to hand a message over", ["carrier", "outcome"], registry=REGISTRY
)
SWEPT = Counter("roost_swept_rows", "Rows deleted because they were past their time", ["table"], registry=REGISTRY)
RETENTION_LAG = Gauge(
    "roost_retention_lag_seconds", "How long the oldest row was past its time when it was swept", registry=REGISTRY
)
OLDEST = Gauge("roost_oldest_message_seconds", "Age of the oldest message", registry=REGISTRY)
MEDIA_FETCHES = Counter("roost_media_fetches", "Tries to copy a medium", ["carrier", "outcome"], registry=REGISTRY)
WAITING = Gauge("roost_waiting_reads", "Reads that wait for something new", registry=REGISTRY)
STREAMS = Gauge("roost_streams", "Streams that are open", registry=REGISTRY)
STREAM_EVENTS = Counter("roost_stream_events", "Events written to streams", registry=REGISTRY)
STREAM_ENDS = Counter("roost_stream_ends", "Streams that ended", ["reason"], registry=REGISTRY)
WEBHOOK_TRIES = Counter("roost_webhook_tries", "Tries to tell endpoints of events", ["outcome"], registry=REGISTRY)
WEBHOOKS_WAITING = Gauge("roost_webhooks_waiting", "Events that endpoints are still to be told of", registry=REGISTRY)
