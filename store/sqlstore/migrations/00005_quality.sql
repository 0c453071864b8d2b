-- How good the media of a stay was, each way: what was heard of the caller, and what the
-- caller heard. MOS in hundredths, 0 for not known; the share of packets not heard in
-- ten-thousandths. All else that the media says is in quality.

-- +goose NO TRANSACTION
-- +goose Up

ALTER TABLE xdr ADD COLUMN IF NOT EXISTS inbound_mos BIGINT NOT NULL DEFAULT 0;
ALTER TABLE xdr ADD COLUMN IF NOT EXISTS inbound_mos_worst BIGINT NOT NULL DEFAULT 0;
ALTER TABLE xdr ADD COLUMN IF NOT EXISTS inbound_loss BIGINT NOT NULL DEFAULT 0;
ALTER TABLE xdr ADD COLUMN IF NOT EXISTS outbound_mos BIGINT NOT NULL DEFAULT 0;
ALTER TABLE xdr ADD COLUMN IF NOT EXISTS outbound_mos_worst BIGINT NOT NULL DEFAULT 0;
ALTER TABLE xdr ADD COLUMN IF NOT EXISTS outbound_loss BIGINT NOT NULL DEFAULT 0;
