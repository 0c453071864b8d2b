-- What has been recorded. The files are on the disks of the nodes that wrote them.

-- +goose NO TRANSACTION
-- +goose Up

ALTER TABLE room ADD COLUMN IF NOT EXISTS record_mode TEXT NOT NULL DEFAULT '';
ALTER TABLE room ADD COLUMN IF NOT EXISTS record_format TEXT NOT NULL DEFAULT '';
ALTER TABLE room ADD COLUMN IF NOT EXISTS record_tracks BIGINT NOT NULL DEFAULT 0 CHECK (record_tracks IN (0, 1));
ALTER TABLE room ADD COLUMN IF NOT EXISTS record_silent BIGINT NOT NULL DEFAULT 0 CHECK (record_silent IN (0, 1));
ALTER TABLE room ADD COLUMN IF NOT EXISTS record_retention BIGINT NOT NULL DEFAULT 0 CHECK (record_retention >= 0);

-- removed_at is set when it is to go; the row goes with its last segment, and each segment
-- when its node has removed the files.
CREATE TABLE IF NOT EXISTS recording (
    id TEXT NOT NULL PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customer (id),
    room_id TEXT NOT NULL,
    conference_id TEXT NOT NULL,
    room_name TEXT NOT NULL,
    format TEXT NOT NULL,
    tracks BIGINT NOT NULL CHECK (tracks IN (0, 1)),
    announced BIGINT NOT NULL CHECK (announced IN (0, 1)),
    retention BIGINT NOT NULL CHECK (retention >= 0),
    started_at BIGINT NOT NULL,
    started_by TEXT NOT NULL,
    stopped_at BIGINT NOT NULL,
    stopped_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    removed_at BIGINT NOT NULL,
    removed_by TEXT NOT NULL
) /* STRICT */;
CREATE INDEX IF NOT EXISTS recording_customer ON recording (customer_id, id);
CREATE INDEX IF NOT EXISTS recording_room ON recording (room_id, id);
CREATE INDEX IF NOT EXISTS recording_conference ON recording (conference_id, id);
CREATE INDEX IF NOT EXISTS recording_open ON recording (started_at) WHERE stopped_at = 0;
CREATE INDEX IF NOT EXISTS recording_kept ON recording (stopped_at) WHERE removed_at = 0;
CREATE INDEX IF NOT EXISTS recording_removed ON recording (removed_at) WHERE removed_at <> 0;

CREATE TABLE IF NOT EXISTS recording_segment (
    id TEXT NOT NULL PRIMARY KEY,
    recording_id TEXT NOT NULL REFERENCES recording (id),
    number BIGINT NOT NULL CHECK (number >= 1),
    conference_id TEXT NOT NULL,
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    path TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    length_us BIGINT NOT NULL CHECK (length_us >= 0),
    octets BIGINT NOT NULL CHECK (octets >= 0),
    gaps BIGINT NOT NULL CHECK (gaps >= 0),
    gap_us BIGINT NOT NULL CHECK (gap_us >= 0),
    tracks TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL
) /* STRICT */;
CREATE INDEX IF NOT EXISTS recording_segment_recording ON recording_segment (recording_id, number, id);
CREATE INDEX IF NOT EXISTS recording_segment_conference ON recording_segment (conference_id);
CREATE INDEX IF NOT EXISTS recording_segment_open ON recording_segment (node) WHERE ended_at = 0;
