-- The sample system's database: a multi-channel inbox that sells subscriptions and message credits through Stripe.

CREATE TABLE plan_prices (
    price_id            text PRIMARY KEY,
    tier                text NOT NULL,
    unit_amount         integer NOT NULL,
    currency            text NOT NULL DEFAULT 'usd',
    included_messages   integer NOT NULL,
    overage_unit_price  numeric(10, 4) NOT NULL
);

CREATE TABLE businesses (
    id                                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name                                text NOT NULL,
    contact_email                       text,
    is_frozen                           boolean NOT NULL DEFAULT false,
    frozen_at                           timestamptz,
    frozen_reason                       text,
    stripe_customer_id                  text UNIQUE,
    stripe_subscription_id              text,
    subscription_status                 text NOT NULL DEFAULT 'active',
    subscription_tier                   text NOT NULL DEFAULT 'free',
    subscription_period_end             timestamptz,
    voice_credits_balance               numeric(12, 2) NOT NULL DEFAULT 0,
    voice_credits_used_current_period   numeric(12, 2) NOT NULL DEFAULT 0,
    credit_balance                      numeric(12, 2) NOT NULL DEFAULT 0,
    credit_balance_updated_at           timestamptz,
    message_count_current_period        integer NOT NULL DEFAULT 0,
    created_at                          timestamptz NOT NULL DEFAULT now(),
    updated_at                          timestamptz NOT NULL DEFAULT now()
);

-- status is this system's own word: Stripe has no invoice status "failed".
CREATE TABLE invoices (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    business_id         uuid NOT NULL REFERENCES businesses (id),
    stripe_invoice_id   text,
    status              text NOT NULL CHECK (status IN ('open', 'paid', 'failed', 'void')),
    amount              numeric(12, 2) NOT NULL,
    currency            text NOT NULL DEFAULT 'usd',
    hosted_invoice_url  text,
    created_at          timestamptz NOT NULL DEFAULT now(),
    paid_at             timestamptz
);
CREATE INDEX invoices_by_business ON invoices (business_id, created_at DESC);

CREATE TABLE conversations (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    business_id      uuid NOT NULL REFERENCES businesses (id),
    contact_name     text NOT NULL,
    channel          text NOT NULL CHECK (channel IN ('whatsapp', 'sms', 'email')),
    created_at       timestamptz NOT NULL DEFAULT now(),
    last_message_at  timestamptz
);

-- There is deliberately no index on (conversation_id, created_at).
CREATE TABLE messages (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    conversation_id  uuid NOT NULL REFERENCES conversations (id),
    channel          text NOT NULL,
    direction        text NOT NULL CHECK (direction IN ('in', 'out')),
    status           text NOT NULL CHECK (status IN ('received', 'sending', 'sent', 'delivered', 'failed')),
    content          text NOT NULL,
    error_message    text,
    created_at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE email_accounts (
    id                      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    business_id             uuid NOT NULL REFERENCES businesses (id),
    email                   text NOT NULL,
    last_sync_at            timestamptz,
    is_active               boolean NOT NULL DEFAULT true,
    sync_enabled            boolean NOT NULL DEFAULT true,
    oauth_token_expires_at  timestamptz
);

CREATE TABLE audit_logs (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id   uuid NOT NULL REFERENCES businesses (id),
    action        text NOT NULL,
    details       text,
    performed_by  text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);

-- One payment is credited once, whether by the webhook or by hand.
CREATE TABLE credit_ledger (
    id                        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id               uuid NOT NULL REFERENCES businesses (id),
    amount                    numeric(12, 2) NOT NULL,
    reason                    text NOT NULL,
    source                    text NOT NULL CHECK (source IN ('webhook', 'manual', 'correction')),
    stripe_payment_intent_id  text UNIQUE,
    created_at                timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE credit_deductions (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id          uuid NOT NULL REFERENCES businesses (id),
    message_count        integer NOT NULL CHECK (message_count > 0),
    unit_price_charged   numeric(10, 4) NOT NULL,
    unit_price_expected  numeric(10, 4) NOT NULL,
    amount_charged       numeric(12, 2) GENERATED ALWAYS AS (message_count * unit_price_charged) STORED,
    amount_expected      numeric(12, 2) GENERATED ALWAYS AS (message_count * unit_price_expected) STORED,
    corrected_at         timestamptz,
    created_at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX credit_deductions_by_business ON credit_deductions (business_id, created_at DESC);

-- What the stripe-webhook function received: the log that tells a missed event from a failed one.
CREATE TABLE webhook_events (
    id           text PRIMARY KEY,
    type         text NOT NULL,
    object_id    text NOT NULL,
    customer_id  text,
    status       text NOT NULL CHECK (status IN ('processed', 'failed')),
    error        text,
    received_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhook_events_by_customer ON webhook_events (customer_id, received_at DESC);

CREATE TABLE secrets (
    name         text PRIMARY KEY,
    value        text NOT NULL,
    fingerprint  text GENERATED ALWAYS AS (left(encode(sha256(value::bytea), 'hex'), 12)) STORED,
    updated_at   timestamptz NOT NULL DEFAULT now()
);

CALL pg_temp.usual_rights();
ALTER TABLE messages OWNER TO alacarte_messages_owner;
REVOKE DELETE, TRUNCATE ON messages FROM alacarte_messages_owner;
GRANT USAGE, CREATE ON SCHEMA public TO alacarte_messages_owner;

REVOKE ALL ON secrets FROM alacarte_read, alacarte_act, alacarte_app;
GRANT SELECT (name, fingerprint, updated_at) ON secrets TO alacarte_read, alacarte_act;

GRANT UPDATE ON businesses, invoices, conversations, email_accounts TO alacarte_act;
GRANT INSERT, UPDATE, DELETE ON credit_ledger, credit_deductions TO alacarte_act;
GRANT INSERT ON audit_logs TO alacarte_act;

-- alacarte_act owns messages for the sake of its indexes; whatever else ownership would allow is refused here.
CREATE FUNCTION refuse_other_definitions() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF session_user = 'alacarte_act' AND tg_tag NOT IN ('CREATE INDEX', 'DROP INDEX', 'REINDEX') THEN
        RAISE insufficient_privilege USING MESSAGE = format('permission denied: alacarte_act may not %s', tg_tag);
    END IF;
END
$$;
CREATE EVENT TRIGGER indexes_only ON ddl_command_start EXECUTE FUNCTION refuse_other_definitions();
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;

-- For RB-002, RB-003, RB-005, RB-006 and RB-007: a message's own id at its provider, once; where a contact is reached; and
-- what pg_cron keeps of its jobs, in its own names.
ALTER TABLE messages ADD COLUMN provider_id text;
CREATE UNIQUE INDEX messages_by_provider_id ON messages (provider_id) WHERE provider_id IS NOT NULL;
ALTER TABLE conversations ADD COLUMN IF NOT EXISTS contact_address text;

CREATE SCHEMA cron;
CREATE TABLE cron.job (
    jobid     bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    jobname   text UNIQUE,
    schedule  text NOT NULL,
    command   text NOT NULL,
    active    boolean NOT NULL DEFAULT true
);
CREATE TABLE cron.job_run_details (
    runid           bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    jobid           bigint NOT NULL,
    status          text NOT NULL,
    return_message  text,
    start_time      timestamptz NOT NULL,
    end_time        timestamptz
);
CREATE SCHEMA net;
CREATE FUNCTION net.http_post(url text, headers jsonb) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
GRANT USAGE ON SCHEMA net TO alacarte_read, alacarte_act;
GRANT USAGE ON SCHEMA cron TO alacarte_read, alacarte_act;
GRANT SELECT ON cron.job, cron.job_run_details TO alacarte_read, alacarte_act;
GRANT UPDATE (active) ON cron.job TO alacarte_act;

-- What Supabase brings along: who belongs to a business, row level security, the publication that Realtime follows, and
-- Storage. Used by RB-008, RB-009, RB-013 and RB-015.
ALTER TABLE businesses ADD COLUMN outbound_calls_blocked_at timestamptz;
ALTER TABLE conversations ADD COLUMN IF NOT EXISTS contact_address text;

CREATE TABLE business_members (
    user_id      uuid NOT NULL,
    business_id  uuid NOT NULL REFERENCES businesses (id),
    role         text NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'admin', 'member')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, business_id)
);
ALTER TABLE business_members OWNER TO alacarte_owner;
GRANT SELECT ON business_members TO alacarte_read, alacarte_act;
GRANT SELECT, INSERT, UPDATE ON business_members TO alacarte_app;

CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid
$$;
GRANT USAGE ON SCHEMA auth TO authenticated;

-- The services' own logins see every row; a customer sees what their businesses have.
GRANT USAGE ON SCHEMA public TO authenticated;
GRANT SELECT ON messages, conversations, business_members TO authenticated;
ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY services ON conversations TO alacarte_read, alacarte_act, alacarte_app USING (true) WITH CHECK (true);
CREATE POLICY services ON messages TO alacarte_read, alacarte_act, alacarte_app USING (true) WITH CHECK (true);
CREATE POLICY members_read ON conversations FOR SELECT TO authenticated
    USING (business_id IN (SELECT m.business_id FROM business_members m WHERE m.user_id = auth.uid()));
CREATE POLICY members_read ON messages FOR SELECT TO authenticated
    USING (conversation_id IN (SELECT c.id FROM conversations c));

SET client_min_messages = error;  -- a publication can be made before anybody follows it
CREATE PUBLICATION supabase_realtime FOR TABLE messages, conversations;
RESET client_min_messages;

CREATE SCHEMA storage;
CREATE TABLE storage.buckets (
    id                  text PRIMARY KEY,
    name                text NOT NULL,
    public              boolean NOT NULL DEFAULT false,
    file_size_limit     bigint,
    allowed_mime_types  text[],
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE storage.objects (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    bucket_id         text NOT NULL REFERENCES storage.buckets (id),
    name              text NOT NULL,
    metadata          jsonb,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    last_accessed_at  timestamptz,
    UNIQUE (bucket_id, name)
);
CREATE TABLE message_attachments (
    message_id   uuid NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    bucket_id    text NOT NULL,
    object_name  text NOT NULL,
    PRIMARY KEY (message_id, bucket_id, object_name)
);
CREATE INDEX message_attachments_by_object ON message_attachments (bucket_id, object_name);
ALTER TABLE message_attachments OWNER TO alacarte_owner;
-- Rows of Storage are changed by its API alone: a row without its file, or a file without its row, helps nobody.
GRANT USAGE ON SCHEMA storage TO alacarte_read;
GRANT SELECT ON storage.buckets, storage.objects, message_attachments TO alacarte_read;
GRANT SELECT, INSERT ON message_attachments TO alacarte_app;
