-- The sample system's database: a subscription product whose members own masks, each with epochs, within quotas.

CREATE TABLE profiles (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email       text NOT NULL,
    full_name   text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX profiles_by_email ON profiles (lower(email));

-- tier and status are this system's own words: Stripe has no status "suspended", and no capitals.
CREATE TABLE subscriptions (
    id                      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    profile_id              uuid NOT NULL UNIQUE REFERENCES profiles (id) ON DELETE CASCADE,
    tier                    text NOT NULL DEFAULT 'FREE' CHECK (tier IN ('FREE', 'PRO')),
    status                  text NOT NULL DEFAULT 'active'
                            CHECK (status IN ('active', 'past_due', 'canceled', 'suspended')),
    stripe_customer_id      text,
    stripe_subscription_id  text,
    billing_interval        text CHECK (billing_interval IN ('monthly', 'yearly')),
    current_period_start    timestamptz,
    current_period_end      timestamptz,
    cancel_at               timestamptz,
    cancel_at_period_end    boolean NOT NULL DEFAULT false,
    updated_at              timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX subscriptions_by_customer ON subscriptions (stripe_customer_id);

-- What each plan includes. The values are texts, a number or a word for "without limit", and nothing keeps a plan from
-- having a feature twice: whoever reads it has to cope with both.
CREATE TABLE plan_features (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tier     text NOT NULL,
    feature  text NOT NULL,
    value    text
);

CREATE TABLE rate_limits (
    profile_id  uuid NOT NULL REFERENCES profiles (id) ON DELETE CASCADE,
    feature     text NOT NULL,
    used        integer NOT NULL DEFAULT 0 CHECK (used >= 0),
    resets_at   timestamptz NOT NULL,
    PRIMARY KEY (profile_id, feature)
);

CREATE TABLE masks (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    profile_id  uuid NOT NULL REFERENCES profiles (id) ON DELETE CASCADE,
    name        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX masks_by_profile ON masks (profile_id);

CREATE TABLE epochs (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mask_id     uuid NOT NULL REFERENCES masks (id) ON DELETE CASCADE,
    number      integer NOT NULL,
    loss        numeric(10, 6) NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX epochs_by_mask ON epochs (mask_id);

CREATE TABLE api_keys (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    profile_id  uuid NOT NULL REFERENCES profiles (id) ON DELETE CASCADE,
    prefix      text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX api_keys_by_profile ON api_keys (profile_id);

-- Tax law keeps these for years: a deleted profile leaves its payments without a name.
CREATE TABLE billing_records (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    profile_id         uuid REFERENCES profiles (id) ON DELETE SET NULL,
    stripe_invoice_id  text NOT NULL,
    amount             numeric(12, 2) NOT NULL,
    currency           text NOT NULL DEFAULT 'usd',
    paid_at            timestamptz NOT NULL
);
CREATE INDEX billing_records_by_profile ON billing_records (profile_id);

-- What the webhook endpoint made of each event that it could read and trust.
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

-- Deliberately without a reference to profiles: what was done to an account outlives it.
CREATE TABLE audit_log (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    profile_id    uuid NOT NULL,
    action        text NOT NULL,
    details       text,
    performed_by  text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_log_by_profile ON audit_log (profile_id);

-- Before there are receipts: those are not the application's to delete.
GRANT DELETE ON ALL TABLES IN SCHEMA public TO phase1_app;
CALL pg_temp.usual_rights();

GRANT INSERT, UPDATE ON subscriptions TO phase1_act;
GRANT INSERT, DELETE ON rate_limits TO phase1_act;
GRANT DELETE ON profiles TO phase1_act;
GRANT INSERT ON audit_log TO phase1_act;
-- An undone insertion of a subscription takes the row away again.
GRANT DELETE ON subscriptions TO phase1_act;
