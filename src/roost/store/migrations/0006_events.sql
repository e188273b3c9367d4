-- What readers follow besides the inbound messages, whose own ids are their places in the order. An event is written in the
-- transaction of what it tells, at a position of the organization's counter. The rules of 0001 hold.

CREATE TABLE events (
    org_id      UUID NOT NULL,
    id          UUID NOT NULL,
    type        TEXT NOT NULL,   -- message.status, consent.changed
    subject_id  UUID NOT NULL,   -- the outbound message; the consent
    data        TEXT NOT NULL,   -- JSON: how that stood then; never a message's words
    PRIMARY KEY (org_id, id)
) /* sqlite: WITHOUT ROWID */;
