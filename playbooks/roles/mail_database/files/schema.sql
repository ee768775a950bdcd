-- What Postfix and Dovecot look up. Adding a domain, a mailbox, an alias or a device is a row: no daemon is reloaded.
-- Everything here may run twice. Names and addresses are kept in small letters; the daemons fold what they are asked.
SET LOCAL search_path = public;
CREATE TABLE IF NOT EXISTS domain (
    name text PRIMARY KEY CHECK (name = lower(name) AND name <> ''),
    bundle text NOT NULL
);

CREATE TABLE IF NOT EXISTS mailbox (
    address text PRIMARY KEY CHECK (address = lower(address) AND address LIKE '_%@' || domain),
    domain text NOT NULL REFERENCES domain ON DELETE CASCADE,
    -- zero means no limit
    quota_bytes bigint NOT NULL DEFAULT 0 CHECK (quota_bytes >= 0),
    -- an inactive mailbox refuses every login and still receives
    active boolean NOT NULL DEFAULT true
);
-- What paquet-limits.py found to be left for it: all people of a bundle share one room.
ALTER TABLE mailbox ADD COLUMN IF NOT EXISTS limit_bytes bigint CHECK (limit_bytes > 0);
CREATE INDEX IF NOT EXISTS mailbox_domain ON mailbox (domain);

CREATE TABLE IF NOT EXISTS alias (
    address text NOT NULL CHECK (address = lower(address)),
    target text NOT NULL,
    domain text GENERATED ALWAYS AS (split_part(address, '@', 2)) STORED
        REFERENCES domain ON DELETE CASCADE,
    PRIMARY KEY (address, target)
);
CREATE INDEX IF NOT EXISTS alias_domain ON alias (domain);
CREATE INDEX IF NOT EXISTS alias_target ON alias (target);

-- One device secret is one row. The secret has 24 or more random characters, so a plain digest keeps it.
CREATE TABLE IF NOT EXISTS device (
    id text PRIMARY KEY,
    address text NOT NULL REFERENCES mailbox ON DELETE CASCADE,
    name text NOT NULL,
    secret_sha256 text NOT NULL CHECK (secret_sha256 ~ '^[0-9a-f]{64}$'),
    created timestamptz NOT NULL DEFAULT now(),
    revoked timestamptz
);
CREATE INDEX IF NOT EXISTS device_secret ON device (address, secret_sha256);

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO dovecot, postfix, root;
GRANT SELECT ON mailbox, device TO dovecot;
-- Root is paquet-limits.py: the superuser of the database is another.
GRANT SELECT (address, limit_bytes), UPDATE (limit_bytes) ON mailbox TO root;
-- Postfix never sees a digest of a secret.
GRANT SELECT ON domain, mailbox, alias TO postfix;

-- Whatever bundles hold, mail gets its connections.
grant pg_use_reserved_connections to dovecot, postfix, root;
