-- How often a stay's call has been taken over by another node: what an earlier one still
-- says of it does not count.

-- +goose NO TRANSACTION
-- +goose Up

ALTER TABLE participant ADD COLUMN IF NOT EXISTS ingress_term BIGINT NOT NULL DEFAULT 0;
