-- The tables of one cluster. Money is in millionths of the account's currency
-- unit, times in microseconds since 1970 UTC (0: not yet), ids are UUIDv7 text.

-- +goose NO TRANSACTION
-- +goose Up

CREATE TABLE once (
    name TEXT PRIMARY KEY,
    done_at BIGINT NOT NULL
);

CREATE TABLE customer (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (name <> ''),
    created_at BIGINT NOT NULL
);

CREATE TABLE tariff (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (name <> ''),
    currency TEXT NOT NULL CHECK (length(currency) = 3)
);

CREATE TABLE rate (
    tariff_id TEXT NOT NULL REFERENCES tariff (id),
    service TEXT NOT NULL,
    access_number TEXT NOT NULL,
    per_minute BIGINT NOT NULL CHECK (per_minute >= 0),
    first_s BIGINT NOT NULL CHECK (first_s >= 1),
    next_s BIGINT NOT NULL CHECK (next_s >= 1),
    PRIMARY KEY (tariff_id, service, access_number)
);

CREATE TABLE account (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customer (id),
    name TEXT NOT NULL UNIQUE CHECK (name <> ''),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    tariff_id TEXT NOT NULL REFERENCES tariff (id),
    balance BIGINT NOT NULL,
    credit_limit BIGINT NOT NULL CHECK (credit_limit >= 0),
    reserved BIGINT NOT NULL CHECK (reserved >= 0),
    blocked BIGINT NOT NULL CHECK (blocked IN (0, 1)),
    max_participants BIGINT NOT NULL CHECK (max_participants >= 0),
    created_at BIGINT NOT NULL
);

CREATE TABLE ledger_entry (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    amount BIGINT NOT NULL,
    balance BIGINT NOT NULL,
    xdr_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    author TEXT NOT NULL
);
CREATE INDEX ledger_entry_account ON ledger_entry (account_id, id);

CREATE TABLE access_number (
    id TEXT PRIMARY KEY,
    number TEXT NOT NULL UNIQUE CHECK (number <> ''),
    application TEXT NOT NULL,
    code_space TEXT NOT NULL CHECK (code_space <> ''),
    room_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    language TEXT NOT NULL
);

CREATE TABLE call_rule (
    id TEXT PRIMARY KEY,
    position BIGINT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    transport TEXT NOT NULL,
    called TEXT NOT NULL,
    action TEXT NOT NULL
);

CREATE TABLE sip_user (
    realm TEXT NOT NULL,
    username TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    ha1_md5 TEXT NOT NULL,
    ha1_sha256 TEXT NOT NULL,
    PRIMARY KEY (realm, username)
);

CREATE TABLE api_token (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE room (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customer (id),
    account_id TEXT NOT NULL REFERENCES account (id),
    name TEXT NOT NULL CHECK (name <> ''),
    code_space TEXT NOT NULL,
    host_code TEXT NOT NULL,
    guest_code TEXT NOT NULL,
    home_site TEXT NOT NULL,
    moderated BIGINT NOT NULL CHECK (moderated IN (0, 1)),
    end_grace_us BIGINT NOT NULL CHECK (end_grace_us >= 0),
    lost_grace_us BIGINT NOT NULL CHECK (lost_grace_us >= 0),
    max_participants BIGINT NOT NULL CHECK (max_participants >= 0),
    guest_role TEXT NOT NULL,
    entry_sound TEXT NOT NULL,
    exit_sound TEXT NOT NULL,
    announce_count BIGINT NOT NULL CHECK (announce_count IN (0, 1)),
    music BIGINT NOT NULL CHECK (music IN (0, 1)),
    keys TEXT NOT NULL,
    language TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX room_customer ON room (customer_id, id);

-- A code leads to one room and one role within its space.
CREATE TABLE room_code (
    code_space TEXT NOT NULL,
    code TEXT NOT NULL CHECK (length(code) BETWEEN 4 AND 12),
    room_id TEXT NOT NULL REFERENCES room (id),
    host BIGINT NOT NULL CHECK (host IN (0, 1)),
    PRIMARY KEY (code_space, code)
);
CREATE INDEX room_code_room ON room_code (room_id);

-- The highest epoch that a room has had: writes of an older one are refused.
CREATE TABLE room_epoch (
    room_id TEXT PRIMARY KEY,
    epoch BIGINT NOT NULL
);

CREATE TABLE node_run (
    node TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    site TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    heartbeat_at BIGINT NOT NULL,
    stopped_at BIGINT NOT NULL,
    PRIMARY KEY (node, incarnation)
);

CREATE TABLE conference (
    id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    room_name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('main', 'local')),
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    end_reason TEXT NOT NULL
);
CREATE UNIQUE INDEX conference_one_open_main ON conference (room_id) WHERE kind = 'main' AND ended_at = 0;
CREATE INDEX conference_customer ON conference (customer_id, id);
CREATE INDEX conference_open ON conference (node, incarnation) WHERE ended_at = 0;

CREATE TABLE conference_event (
    conference_id TEXT NOT NULL REFERENCES conference (id),
    seq BIGINT NOT NULL CHECK (seq >= 1),
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    participant_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (conference_id, seq)
);

-- A stay. While left_at is 0 it is open, and reserved is what it holds of its account.
CREATE TABLE participant (
    id TEXT PRIMARY KEY,
    conference_id TEXT NOT NULL REFERENCES conference (id),
    room_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    call_id TEXT NOT NULL,
    role TEXT NOT NULL,
    owner BIGINT NOT NULL CHECK (owner IN (0, 1)),
    caller TEXT NOT NULL,
    called TEXT NOT NULL,
    ingress_site TEXT NOT NULL,
    ingress_node TEXT NOT NULL,
    focus_site TEXT NOT NULL,
    focus_node TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    joined_at BIGINT NOT NULL,
    left_at BIGINT NOT NULL,
    cause TEXT NOT NULL,
    rate_tariff_id TEXT NOT NULL,
    rate_access_number TEXT NOT NULL,
    rate_per_minute BIGINT NOT NULL,
    rate_first_s BIGINT NOT NULL,
    rate_next_s BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reserved BIGINT NOT NULL CHECK (reserved >= 0)
);
CREATE INDEX participant_conference ON participant (conference_id, id);
CREATE INDEX participant_open ON participant (focus_node, incarnation) WHERE left_at = 0;

CREATE TABLE xdr (
    id TEXT PRIMARY KEY REFERENCES participant (id),
    conference_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    room_name TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    call_id TEXT NOT NULL,
    service TEXT NOT NULL,
    caller TEXT NOT NULL,
    called TEXT NOT NULL,
    ingress_site TEXT NOT NULL,
    ingress_node TEXT NOT NULL,
    focus_site TEXT NOT NULL,
    focus_node TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    duration_s BIGINT NOT NULL CHECK (duration_s >= 0),
    billed_s BIGINT NOT NULL,
    rate_tariff_id TEXT NOT NULL,
    rate_access_number TEXT NOT NULL,
    rate_per_minute BIGINT NOT NULL,
    rate_first_s BIGINT NOT NULL,
    rate_next_s BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    cause TEXT NOT NULL,
    quality TEXT NOT NULL,
    recorded_at BIGINT NOT NULL
);
CREATE INDEX xdr_account ON xdr (account_id, id);
CREATE INDEX xdr_customer ON xdr (customer_id, id);

CREATE TABLE call (
    id TEXT PRIMARY KEY,
    sip_call_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    direction TEXT NOT NULL,
    from_user TEXT NOT NULL,
    to_user TEXT NOT NULL,
    source TEXT NOT NULL,
    transport TEXT NOT NULL,
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    answered_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    sip_status BIGINT NOT NULL,
    cause TEXT NOT NULL
);
CREATE INDEX call_started ON call (started_at);
CREATE INDEX call_open ON call (node) WHERE ended_at = 0;

CREATE TABLE call_step (
    call_id TEXT NOT NULL REFERENCES call (id),
    seq BIGINT NOT NULL CHECK (seq >= 1),
    at BIGINT NOT NULL,
    step TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (call_id, seq)
);
