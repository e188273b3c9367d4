-- Search, and what is counted for each day: both written beside, after the messages. The rules of 0001 hold.

-- All messages before this position have been gone through.
CREATE TABLE search_feeds (
    org_id   BLOB NOT NULL PRIMARY KEY,
    next_us  INTEGER NOT NULL
) WITHOUT ROWID;

-- Which message a document of the full-text index is. Documents are numbered as they are written: an organization's grow as its
-- messages' ids do.
CREATE TABLE message_words (
    doc         INTEGER PRIMARY KEY,
    org_id      BLOB NOT NULL,
    message_id  BLOB NOT NULL,
    UNIQUE (org_id, message_id)
);

-- The organization is a word of the document, so that a search reads the postings of its own alone. What is deleted leaves the index
-- at once, and not when it is next merged. Words come as they are looked for (core/words.py): the index only divides them at spaces (https://sqlite.org/fts5.html, secure-delete).
CREATE VIRTUAL TABLE documents USING fts5(org, words, tokenize = 'ascii', detail = 'column', columnsize = 0);
INSERT INTO documents (documents, rank) VALUES ('secure-delete', 1);

-- The one trigger: whoever deletes the row, by age or by erasure, need not know of the index, which only this database has.
CREATE TRIGGER message_words_gone AFTER DELETE ON message_words BEGIN
    DELETE FROM documents WHERE rowid = old.doc;
END;

-- Messages and segments of each day (UTC, days since 1970) and number of ours.
CREATE TABLE usage_days (
    org_id             BLOB NOT NULL,
    day                INTEGER NOT NULL,
    number             TEXT NOT NULL,
    inbound            INTEGER NOT NULL,
    inbound_segments   INTEGER NOT NULL,
    outbound           INTEGER NOT NULL,
    outbound_segments  INTEGER NOT NULL,
    PRIMARY KEY (org_id, day, number)
) WITHOUT ROWID;
