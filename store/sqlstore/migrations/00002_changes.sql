-- What local copies of the catalogue follow: see copy.go.

-- +goose NO TRANSACTION
-- +goose Up

-- One row for each change of what calls are decided by, written in the transaction of
-- the change. It is in the order of clocks, not of commits; who reads it looks back.
CREATE TABLE IF NOT EXISTS change (
    at BIGINT NOT NULL,
    id TEXT NOT NULL,
    entity TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (at, id)
) /* STRICT */;

-- In a copy: when it was made. Empty in the store itself.
CREATE TABLE IF NOT EXISTS copy_state (
    what TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
) /* STRICT */;
