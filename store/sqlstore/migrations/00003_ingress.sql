-- A stay is its ingress's, which has the call and meters it, wherever it is mixed: it ends
-- with that node's run, and not with its focus's.

-- +goose NO TRANSACTION
-- +goose Up

CREATE INDEX IF NOT EXISTS participant_of_run ON participant (ingress_node, incarnation) WHERE left_at = 0;
DROP INDEX IF EXISTS participant_open;
