-- Media: what an MMS carries, copied from the carrier. The rules of 0001 hold.

-- The media of messages, inbound and outbound. Where the carrier has one is in the message itself.
--   waiting  may be fetched at due_at
--   leased   a process is at it until due_at
--   stored   object_id has its content
--   failed   it cannot be had; reason says why
CREATE TABLE media (
    org_id      UUID NOT NULL,
    message_id  UUID NOT NULL,
    nth         INTEGER NOT NULL,  -- among its message's, from 0
    state       TEXT NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_at      BIGINT NOT NULL,
    lease       UUID,              -- whose it is, and the object that is being made
    reason      TEXT,
    object_id   UUID,
    PRIMARY KEY (org_id, message_id, nth)
) /* sqlite: WITHOUT ROWID */;
CREATE INDEX media_due       ON media (org_id, state, due_at);
CREATE INDEX media_by_object ON media (org_id, object_id) WHERE object_id IS NOT NULL;

-- Every object that may be in the folder or bucket. An object whose doomed_at has come is removed there, and then here: one that
-- is being made is doomed until it is kept, and one that nobody refers to any more from that moment on.
CREATE TABLE media_objects (
    org_id        UUID NOT NULL,
    id            UUID NOT NULL,
    doomed_at     BIGINT,          -- null: it is kept
    sha256        BYTEA,
    content_type  TEXT,
    byte_size     BIGINT,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX media_objects_by_content ON media_objects (org_id, sha256) WHERE doomed_at IS NULL;
CREATE INDEX media_objects_doomed     ON media_objects (org_id, doomed_at) WHERE doomed_at IS NOT NULL;

-- What an organization uploads, to send it with messages. Until object_id is there, its content is awaited.
CREATE TABLE media_uploads (
    org_id      UUID NOT NULL,
    id          UUID NOT NULL,     -- its time is when it was asked for
    mime_type   TEXT NOT NULL,
    byte_size   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,   -- until when it may be uploaded, and then until when it may be used
    object_id   UUID,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX media_uploads_by_object ON media_uploads (org_id, object_id) WHERE object_id IS NOT NULL;
CREATE INDEX media_uploads_by_expiry ON media_uploads (org_id, expires_at);
