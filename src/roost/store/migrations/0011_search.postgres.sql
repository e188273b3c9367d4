-- Search, and what is counted for each day: both written beside, after the messages. The rules of 0001 hold.

-- All messages before this position have been gone through.
CREATE TABLE search_feeds (
    org_id   UUID NOT NULL PRIMARY KEY,
    next_us  BIGINT NOT NULL
);

CREATE TABLE message_words (
    org_id      UUID NOT NULL,
    message_id  UUID NOT NULL,
    words       TSVECTOR NOT NULL,
    PRIMARY KEY (org_id, message_id)
);
CREATE INDEX message_words_by_word ON message_words USING gin (words);

-- Messages and segments of each day (UTC, days since 1970) and number of ours.
CREATE TABLE usage_days (
    org_id             UUID NOT NULL,
    day                INTEGER NOT NULL,
    number             TEXT NOT NULL,
    inbound            BIGINT NOT NULL,
    inbound_segments   BIGINT NOT NULL,
    outbound           BIGINT NOT NULL,
    outbound_segments  BIGINT NOT NULL,
    PRIMARY KEY (org_id, day, number)
);
