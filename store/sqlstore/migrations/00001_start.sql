-- The tables of one cluster. Money is in millionths of the account's currency
-- unit, times in microseconds since 1970 UTC (0: not yet), ids are UUIDv7 text.
-- Text is '' and not NULL where there is none; only references are NULL.
--
-- One text for all databases (see strict.go for how SQLite reads it). There is no
-- transaction around it, so each statement can be run again: a migration that broke
-- off is begun anew.

-- +goose NO TRANSACTION
-- +goose Up

CREATE TABLE IF NOT EXISTS once (
    name TEXT NOT NULL PRIMARY KEY,
    run TEXT NOT NULL,
    done_at BIGINT NOT NULL
) /* STRICT */;

CREATE TABLE IF NOT EXISTS customer (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (name <> ''),
    created_at BIGINT NOT NULL
) /* STRICT */;

CREATE TABLE IF NOT EXISTS tariff (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (name <> ''),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    UNIQUE (id, currency)
) /* STRICT */;

CREATE TABLE IF NOT EXISTS rate (
    tariff_id TEXT NOT NULL REFERENCES tariff (id),
    service TEXT NOT NULL,
    access_number TEXT NOT NULL,
    per_minute BIGINT NOT NULL CHECK (per_minute >= 0),
    first_s BIGINT NOT NULL CHECK (first_s >= 1),
    next_s BIGINT NOT NULL CHECK (next_s >= 1),
    PRIMARY KEY (tariff_id, service, access_number)
) /* STRICT */;

CREATE TABLE IF NOT EXISTS account (
    id TEXT NOT NULL PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customer (id),
    name TEXT NOT NULL UNIQUE CHECK (name <> ''),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    tariff_id TEXT NOT NULL,
    -- Bounds within which balance + credit_limit - reserved stays in 64 bits.
    balance BIGINT NOT NULL CHECK (balance BETWEEN -4000000000000000000 AND 4000000000000000000),
    credit_limit BIGINT NOT NULL CHECK (credit_limit BETWEEN 0 AND 1000000000000000000),
    reserved BIGINT NOT NULL CHECK (reserved BETWEEN 0 AND 4000000000000000000),
    blocked BIGINT NOT NULL CHECK (blocked IN (0, 1)),
    max_participants BIGINT NOT NULL CHECK (max_participants >= 0),
    created_at BIGINT NOT NULL,
    FOREIGN KEY (tariff_id, currency) REFERENCES tariff (id, currency),
    -- What belongs to an account belongs to its customer and is paid in its currency.
    UNIQUE (id, customer_id),
    UNIQUE (id, customer_id, currency)
) /* STRICT */;
CREATE INDEX IF NOT EXISTS account_customer ON account (customer_id, id);

CREATE TABLE IF NOT EXISTS ledger_entry (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    at BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('usage', 'top-up', 'adjustment')),
    amount BIGINT NOT NULL,
    balance BIGINT NOT NULL,
    xdr_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    author TEXT NOT NULL
) /* STRICT */;
CREATE INDEX IF NOT EXISTS ledger_entry_account ON ledger_entry (account_id, id);
-- An xDR is charged once.
CREATE UNIQUE INDEX IF NOT EXISTS ledger_entry_usage ON ledger_entry (xdr_id) WHERE kind = 'usage' AND xdr_id <> '';

CREATE TABLE IF NOT EXISTS call_rule (
    id TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    transport TEXT NOT NULL,
    called TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('trust', 'digest', 'refuse'))
) /* STRICT */;

CREATE TABLE IF NOT EXISTS sip_user (
    realm TEXT NOT NULL,
    username TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    ha1_md5 TEXT NOT NULL,
    ha1_sha256 TEXT NOT NULL,
    PRIMARY KEY (realm, username)
) /* STRICT */;

CREATE TABLE IF NOT EXISTS api_token (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('operator', 'customer', 'readonly')),
    customer_id TEXT REFERENCES customer (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CHECK ((role = 'operator') = (customer_id IS NULL))
) /* STRICT */;

-- A code leads to one room and one role within its space. A room's codes are taken
-- before the room is written, which refers to them.
CREATE TABLE IF NOT EXISTS room_code (
    code_space TEXT NOT NULL CHECK (code_space <> ''),
    code TEXT NOT NULL CHECK (length(code) BETWEEN 4 AND 12),
    room_id TEXT NOT NULL,
    host BIGINT NOT NULL CHECK (host IN (0, 1)),
    PRIMARY KEY (code_space, code)
) /* STRICT */;
CREATE INDEX IF NOT EXISTS room_code_room ON room_code (room_id);

CREATE TABLE IF NOT EXISTS room (
    id TEXT NOT NULL PRIMARY KEY,
    customer_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
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
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CHECK (host_code <> guest_code),
    FOREIGN KEY (account_id, customer_id) REFERENCES account (id, customer_id),
    FOREIGN KEY (code_space, host_code) REFERENCES room_code (code_space, code),
    FOREIGN KEY (code_space, guest_code) REFERENCES room_code (code_space, code)
) /* STRICT */;
CREATE INDEX IF NOT EXISTS room_customer ON room (customer_id, id);
CREATE INDEX IF NOT EXISTS room_account ON room (account_id);
CREATE INDEX IF NOT EXISTS room_host_code ON room (code_space, host_code);
CREATE INDEX IF NOT EXISTS room_guest_code ON room (code_space, guest_code);

CREATE TABLE IF NOT EXISTS access_number (
    id TEXT NOT NULL PRIMARY KEY,
    number TEXT NOT NULL UNIQUE CHECK (number <> ''),
    application TEXT NOT NULL,
    code_space TEXT NOT NULL CHECK (code_space <> ''),
    room_id TEXT REFERENCES room (id) ON DELETE SET NULL,
    customer_id TEXT REFERENCES customer (id),
    language TEXT NOT NULL
) /* STRICT */;
CREATE INDEX IF NOT EXISTS access_number_room ON access_number (room_id);

-- The highest epoch that a room has had: writes of an older one are refused.
CREATE TABLE IF NOT EXISTS room_epoch (
    room_id TEXT NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL CHECK (epoch >= 0)
) /* STRICT */;

CREATE TABLE IF NOT EXISTS node_run (
    node TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    site TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    heartbeat_at BIGINT NOT NULL,
    stopped_at BIGINT NOT NULL,
    PRIMARY KEY (node, incarnation)
) /* STRICT */;

CREATE TABLE IF NOT EXISTS conference (
    id TEXT NOT NULL PRIMARY KEY,
    room_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    room_name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('main', 'local')),
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    epoch BIGINT NOT NULL CHECK (epoch >= 0),
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    end_reason TEXT NOT NULL,
    FOREIGN KEY (account_id, customer_id) REFERENCES account (id, customer_id)
) /* STRICT */;
CREATE UNIQUE INDEX IF NOT EXISTS conference_one_open_main ON conference (room_id) WHERE kind = 'main' AND ended_at = 0;
CREATE INDEX IF NOT EXISTS conference_customer ON conference (customer_id, id);
CREATE INDEX IF NOT EXISTS conference_room ON conference (room_id, id);
CREATE INDEX IF NOT EXISTS conference_open ON conference (node, incarnation) WHERE ended_at = 0;

CREATE TABLE IF NOT EXISTS conference_event (
    conference_id TEXT NOT NULL REFERENCES conference (id),
    seq BIGINT NOT NULL CHECK (seq >= 1),
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    participant_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (conference_id, seq)
) /* STRICT */;

-- A stay. While left_at is 0 it is open, and reserved is what it holds of its account.
CREATE TABLE IF NOT EXISTS participant (
    id TEXT NOT NULL PRIMARY KEY,
    conference_id TEXT NOT NULL REFERENCES conference (id),
    room_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
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
    epoch BIGINT NOT NULL CHECK (epoch >= 0),
    joined_at BIGINT NOT NULL,
    left_at BIGINT NOT NULL,
    cause TEXT NOT NULL,
    rate_tariff_id TEXT NOT NULL,
    rate_access_number TEXT NOT NULL,
    rate_per_minute BIGINT NOT NULL,
    rate_first_s BIGINT NOT NULL,
    rate_next_s BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reserved BIGINT NOT NULL CHECK (reserved >= 0),
    CHECK (left_at = 0 OR reserved = 0),
    FOREIGN KEY (account_id, customer_id, currency) REFERENCES account (id, customer_id, currency)
) /* STRICT */;
CREATE INDEX IF NOT EXISTS participant_conference ON participant (conference_id, id);
CREATE INDEX IF NOT EXISTS participant_customer ON participant (customer_id, id);
CREATE INDEX IF NOT EXISTS participant_open ON participant (focus_node, incarnation) WHERE left_at = 0;
CREATE INDEX IF NOT EXISTS participant_paying ON participant (account_id) WHERE left_at = 0;

CREATE TABLE IF NOT EXISTS xdr (
    id TEXT NOT NULL PRIMARY KEY REFERENCES participant (id),
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
    billed_s BIGINT NOT NULL CHECK (billed_s >= 0),
    rate_tariff_id TEXT NOT NULL,
    rate_access_number TEXT NOT NULL,
    rate_per_minute BIGINT NOT NULL,
    rate_first_s BIGINT NOT NULL,
    rate_next_s BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL,
    cause TEXT NOT NULL,
    quality TEXT NOT NULL,
    recorded_at BIGINT NOT NULL
) /* STRICT */;
CREATE INDEX IF NOT EXISTS xdr_account ON xdr (account_id, id);
CREATE INDEX IF NOT EXISTS xdr_customer ON xdr (customer_id, id);
CREATE INDEX IF NOT EXISTS xdr_room ON xdr (room_id, id);

CREATE TABLE IF NOT EXISTS call (
    id TEXT NOT NULL PRIMARY KEY,
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
) /* STRICT */;
CREATE INDEX IF NOT EXISTS call_started ON call (started_at);
CREATE INDEX IF NOT EXISTS call_customer ON call (customer_id, id);
CREATE INDEX IF NOT EXISTS call_open ON call (node) WHERE ended_at = 0;

CREATE TABLE IF NOT EXISTS call_step (
    call_id TEXT NOT NULL REFERENCES call (id),
    seq BIGINT NOT NULL CHECK (seq >= 1),
    at BIGINT NOT NULL,
    step TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (call_id, seq)
) /* STRICT */;
