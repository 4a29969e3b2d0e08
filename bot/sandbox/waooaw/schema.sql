-- The sample system's database: agents that post and trade for customers, by goals that a scheduler runs.

CREATE TABLE rate_limit_tiers (
    tier                text PRIMARY KEY,
    requests_per_hour   integer NOT NULL
);
COMMENT ON COLUMN rate_limit_tiers.requests_per_hour IS '-1 is unlimited';

CREATE TABLE customers (
    id                      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name                    text NOT NULL,
    email                   text NOT NULL,
    status                  text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'pending')),
    email_verified          boolean NOT NULL DEFAULT true,
    timezone                text NOT NULL DEFAULT 'Asia/Kolkata',
    failed_login_attempts   integer NOT NULL DEFAULT 0,
    locked_until            timestamptz,
    rate_limit_tier         text NOT NULL DEFAULT 'standard' REFERENCES rate_limit_tiers (tier),
    rate_limit_tier_until   timestamptz,
    notes                   text NOT NULL DEFAULT '',
    created_at              timestamptz NOT NULL DEFAULT now(),
    updated_at              timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX customers_by_email ON customers (lower(email));

CREATE TABLE agents (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id     uuid NOT NULL REFERENCES customers (id),
    name            text NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('marketing', 'trading')),
    status          text NOT NULL DEFAULT 'active',
    max_notional    numeric(18, 2),
    max_units       numeric(18, 4),
    position_limit  numeric(18, 4),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX agents_by_customer ON agents (customer_id);

CREATE TABLE goals (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id  uuid NOT NULL REFERENCES customers (id),
    agent_id     uuid NOT NULL REFERENCES agents (id),
    title        text NOT NULL,
    platform     text NOT NULL,
    status       text NOT NULL,
    schedule     text NOT NULL,
    timezone     text NOT NULL,
    next_run_at  timestamptz,
    approved_at  timestamptz,
    approved_by  text,
    paused_at    timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX goals_by_customer ON goals (customer_id);
CREATE INDEX goals_by_next_run ON goals (next_run_at) WHERE status = 'approved';

-- One execution of a goal: what deliverables.goal_instance_id refers to.
CREATE TABLE goal_runs (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    goal_id      uuid NOT NULL REFERENCES goals (id),
    attempted_at timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    outcome      text NOT NULL CHECK (outcome IN ('running', 'completed', 'failed')),
    error        text
);
CREATE INDEX goal_runs_by_goal ON goal_runs (goal_id, attempted_at DESC);

CREATE TABLE deliverables (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    goal_instance_id  uuid NOT NULL REFERENCES goal_runs (id),
    customer_id       uuid NOT NULL REFERENCES customers (id),
    agent_id          uuid NOT NULL REFERENCES agents (id),
    status            text NOT NULL DEFAULT 'pending_review',
    platform          text NOT NULL,
    caption           text NOT NULL DEFAULT '',
    image_width       integer,
    image_height      integer,
    image_bytes       integer,
    external_id       text,
    published_at      timestamptz,
    publish_error     text,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX deliverables_by_run ON deliverables (goal_instance_id);
CREATE INDEX deliverables_by_customer ON deliverables (customer_id, created_at DESC);

CREATE TABLE credentials (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id        uuid NOT NULL REFERENCES customers (id),
    platform           text NOT NULL CHECK (platform IN
                       ('instagram', 'linkedin', 'facebook', 'youtube', 'whatsapp', 'delta_exchange')),
    status             text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'expired', 'invalid')),
    token_expires_at   timestamptz,
    last_refreshed_at  timestamptz,
    last_error         text,
    scopes             text[] NOT NULL DEFAULT '{}',
    account_kind       text,
    account_id         text,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (customer_id, platform)
);

-- Apart from what anybody may read: a row that is read whole can be put back whole.
CREATE TABLE credential_tokens (
    credential_id  uuid PRIMARY KEY REFERENCES credentials (id) ON DELETE CASCADE,
    access_token   text NOT NULL,
    refresh_token  text
);

CREATE TABLE customer_passwords (
    customer_id  uuid PRIMARY KEY REFERENCES customers (id) ON DELETE CASCADE,
    hash         text NOT NULL
);

-- What each platform asks to be granted when a customer connects.
CREATE TABLE required_scopes (
    platform  text NOT NULL,
    scope     text NOT NULL,
    PRIMARY KEY (platform, scope)
);

CREATE TABLE subscriptions (
    id                    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id           uuid NOT NULL REFERENCES customers (id),
    plan                  text NOT NULL,
    status                text NOT NULL,
    trial_status          text NOT NULL DEFAULT 'none',
    current_period_start  timestamptz,
    current_period_end    timestamptz,
    payment_id            uuid,
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX subscriptions_by_customer ON subscriptions (customer_id, created_at DESC);

CREATE TABLE trials (
    customer_id        uuid PRIMARY KEY REFERENCES customers (id),
    tasks_used_today   integer NOT NULL DEFAULT 0,
    tasks_per_day      integer NOT NULL DEFAULT 5,
    tokens_used        integer NOT NULL DEFAULT 0,
    tokens_limit       integer NOT NULL DEFAULT 10000,
    resets_at          timestamptz NOT NULL,
    override_until     timestamptz,
    updated_at         timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN trials.tasks_per_day IS '-1 is unlimited';

CREATE TABLE payments (
    id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id          uuid NOT NULL REFERENCES customers (id),
    subscription_id      uuid REFERENCES subscriptions (id),
    amount               numeric(12, 2) NOT NULL,
    currency             text NOT NULL DEFAULT 'inr',
    status               text NOT NULL,
    method               text,
    razorpay_payment_id  text UNIQUE,
    error_code           text,
    error_description    text,
    created_at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payments_by_customer ON payments (customer_id, created_at DESC);

CREATE TABLE orders (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id        uuid NOT NULL REFERENCES customers (id),
    agent_id           uuid NOT NULL REFERENCES agents (id),
    symbol             text NOT NULL,
    side               text NOT NULL CHECK (side IN ('buy', 'sell')),
    size               numeric(18, 4) NOT NULL,
    price              numeric(18, 2),
    notional           numeric(18, 2),
    reduce_only        boolean NOT NULL DEFAULT false,
    status             text NOT NULL,
    reject_reason      text,
    exchange_order_id  text,
    created_at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orders_by_customer ON orders (customer_id, created_at DESC);

-- What we believe to be open at the exchange.
CREATE TABLE positions (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id  uuid NOT NULL REFERENCES customers (id),
    agent_id     uuid NOT NULL REFERENCES agents (id),
    symbol       text NOT NULL,
    side         text NOT NULL CHECK (side IN ('long', 'short')),
    size         numeric(18, 4) NOT NULL,
    entry_price  numeric(18, 2),
    status       text NOT NULL DEFAULT 'open',
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX positions_by_customer ON positions (customer_id);

CREATE TABLE risk_violations (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id  uuid NOT NULL REFERENCES customers (id),
    agent_id     uuid NOT NULL REFERENCES agents (id),
    symbol       text NOT NULL,
    limit_name   text NOT NULL,
    limit_value  numeric(18, 4) NOT NULL,
    asked        numeric(18, 4) NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX risk_violations_by_agent ON risk_violations (agent_id, created_at DESC);

CREATE TABLE login_attempts (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email        text NOT NULL,
    customer_id  uuid REFERENCES customers (id),
    succeeded    boolean NOT NULL,
    reason       text,
    ip           inet,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_attempts_by_email ON login_attempts (lower(email), created_at DESC);

CREATE TABLE api_logs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id  uuid NOT NULL REFERENCES customers (id),
    goal_id      uuid,
    endpoint     text NOT NULL,
    direction    text NOT NULL DEFAULT 'in' CHECK (direction IN ('in', 'out')),
    platform     text,
    status       integer NOT NULL,
    duration_ms  integer NOT NULL DEFAULT 40,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX api_logs_by_customer ON api_logs (customer_id, created_at DESC);

CREATE TABLE message_templates (
    customer_id   uuid NOT NULL REFERENCES customers (id),
    name          text NOT NULL,
    status        text NOT NULL DEFAULT 'approved',
    reject_reason text,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (customer_id, name)
);

CREATE TABLE whatsapp_messages (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id    uuid NOT NULL REFERENCES customers (id),
    template_name  text,
    phone_number   text NOT NULL,
    status         text NOT NULL,
    error          text,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX whatsapp_messages_by_customer ON whatsapp_messages (customer_id, created_at DESC);

CREATE TABLE whatsapp_opt_ins (
    customer_id   uuid NOT NULL REFERENCES customers (id),
    phone_number  text NOT NULL,
    opted_in_at   timestamptz NOT NULL DEFAULT now(),
    opted_out_at  timestamptz,
    PRIMARY KEY (customer_id, phone_number)
);

CREATE TABLE audit_log (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id   uuid,
    action        text NOT NULL,
    details       text NOT NULL DEFAULT '',
    performed_by  text NOT NULL,
    at            timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_log_by_customer ON audit_log (customer_id, at DESC);

CALL pg_temp.usual_rights();

-- Tokens and password hashes are nobody's business but the application's.
REVOKE SELECT ON credential_tokens, customer_passwords FROM waooaw_read, waooaw_act;

GRANT UPDATE (status, email, email_verified, timezone, failed_login_attempts, locked_until, rate_limit_tier,
              rate_limit_tier_until, notes, updated_at) ON customers TO waooaw_act;
GRANT UPDATE (status, schedule, timezone, next_run_at, paused_at, updated_at) ON goals TO waooaw_act;
GRANT UPDATE (status, customer_id, agent_id, updated_at) ON deliverables TO waooaw_act;
GRANT UPDATE (max_notional, max_units, position_limit, updated_at) ON agents TO waooaw_act;
GRANT UPDATE (status, trial_status, current_period_start, current_period_end, payment_id, updated_at)
    ON subscriptions TO waooaw_act;
GRANT UPDATE (tasks_per_day, tokens_limit, override_until, updated_at) ON trials TO waooaw_act;
GRANT UPDATE (size, status, updated_at) ON positions TO waooaw_act;
GRANT INSERT ON audit_log TO waooaw_act;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;

-- Payments, trading and posting: what their runbooks compare with what the partners say.
ALTER TABLE customers ADD COLUMN razorpay_customer_id text;
GRANT SELECT (razorpay_customer_id) ON customers TO waooaw_read, waooaw_act;
ALTER TABLE payments ADD COLUMN razorpay_order_id text;
ALTER TABLE agents ADD COLUMN limits_until timestamptz;
COMMENT ON COLUMN agents.limits_until IS 'When raised risk limits end; the trading engine puts the usual ones back';
GRANT UPDATE (limits_until) ON agents TO waooaw_act;

CREATE TABLE plans (
    plan      text PRIMARY KEY,
    amount    numeric(12, 2) NOT NULL,
    currency  text NOT NULL DEFAULT 'inr',
    days      integer NOT NULL DEFAULT 30
);

-- Beyond this nobody raises an agent's limits.
CREATE TABLE risk_ceilings (
    kind          text PRIMARY KEY,
    max_notional  numeric(18, 2) NOT NULL,
    max_units     numeric(18, 4) NOT NULL,
    currency      text NOT NULL DEFAULT 'usd'
);

-- Google's quota belongs to a project: the customer's own, or (customer_id is null) the one that all others share.
CREATE TABLE youtube_projects (
    project           text PRIMARY KEY,
    customer_id       uuid UNIQUE REFERENCES customers (id),
    units_per_day     integer NOT NULL DEFAULT 10000,
    units_per_upload  integer NOT NULL DEFAULT 1600,
    checked_at        timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN youtube_projects.units_per_day IS '-1 is unlimited';

ALTER TABLE plans OWNER TO waooaw_owner;
ALTER TABLE risk_ceilings OWNER TO waooaw_owner;
ALTER TABLE youtube_projects OWNER TO waooaw_owner;
GRANT SELECT ON plans, risk_ceilings, youtube_projects TO waooaw_read, waooaw_act, waooaw_app;
