-- The AIAS Platform's database: tenants whose members build workflows, run them within a plan's limits, and pay by Stripe.

CREATE TABLE tenants (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE profiles (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email         text NOT NULL UNIQUE,
    full_name     text NOT NULL,
    suspended_at  timestamptz,
    last_seen_at  timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX profiles_by_creation ON profiles (created_at DESC);

CREATE TABLE tenant_members (
    tenant_id   uuid NOT NULL REFERENCES tenants (id),
    user_id     uuid NOT NULL REFERENCES profiles (id),
    role        text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    status      text NOT NULL CHECK (status IN ('active', 'invited', 'removed')),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX tenant_members_by_user ON tenant_members (user_id);

-- What a role may do; a policy of a table asks here.
CREATE TABLE role_permissions (
    role        text NOT NULL,
    permission  text NOT NULL,
    PRIMARY KEY (role, permission)
);

-- What a plan allows in a month. In a limit, -1 and NULL both mean: no limit.
CREATE TABLE plan_limits (
    tier                text PRIMARY KEY,
    price_id            text UNIQUE,
    unit_amount         integer NOT NULL,
    monthly_executions  integer,
    max_workflows       integer
);

-- In spite of its name no catalogue: one row a user, and what they have.
CREATE TABLE subscription_tiers (
    user_id                 uuid PRIMARY KEY REFERENCES profiles (id),
    tier                    text NOT NULL REFERENCES plan_limits (tier),
    status                  text NOT NULL CHECK (status IN ('active', 'trialing', 'past_due', 'canceled', 'none')),
    stripe_customer_id      text UNIQUE,
    stripe_subscription_id  text,
    current_period_end      timestamptz,
    updated_at              timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX subscription_tiers_by_subscription ON subscription_tiers (stripe_subscription_id);

-- What /api/stripe/webhook received: tells an event that never came from one that failed.
CREATE TABLE webhook_events (
    id           text PRIMARY KEY,
    type         text NOT NULL,
    customer_id  text,
    status       text NOT NULL CHECK (status IN ('processed', 'failed')),
    error        text,
    received_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhook_events_by_customer ON webhook_events (customer_id, received_at DESC);

CREATE TABLE workflows (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id      uuid NOT NULL REFERENCES tenants (id),
    user_id        uuid NOT NULL REFERENCES profiles (id),
    name           text NOT NULL,
    status         text NOT NULL CHECK (status IN ('active', 'pending', 'paused')),
    -- Running it twice does no harm: its author said so.
    is_repeatable  boolean NOT NULL DEFAULT false,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX workflows_by_user ON workflows (user_id);
CREATE INDEX workflows_by_tenant ON workflows (tenant_id);

-- The queue of the workers as well: what is pending is taken up, oldest first.
CREATE TABLE workflow_executions (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id       uuid NOT NULL REFERENCES workflows (id),
    user_id           uuid NOT NULL REFERENCES profiles (id),
    status            text NOT NULL CHECK (status IN ('pending', 'running', 'succeeded', 'failed', 'timed_out')),
    attempt           integer NOT NULL DEFAULT 1,
    external_service  text,
    error             text,
    created_at        timestamptz NOT NULL DEFAULT now(),
    started_at        timestamptz,
    finished_at       timestamptz
);
CREATE INDEX workflow_executions_by_user ON workflow_executions (user_id, created_at DESC);
CREATE INDEX workflow_executions_by_time ON workflow_executions (created_at DESC);
CREATE INDEX workflow_executions_by_workflow ON workflow_executions (workflow_id, created_at DESC);

-- One row for each address or person that was counted on a route; `blocked_until` is set when the limit was passed.
CREATE TABLE rate_limits (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    route          text NOT NULL,
    subject        text NOT NULL,
    hits           integer NOT NULL,
    max_hits       integer NOT NULL,
    window_start   timestamptz NOT NULL,
    blocked_until  timestamptz,
    UNIQUE (route, subject)
);

CREATE TABLE signup_attempts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email       text NOT NULL,
    ip          text NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('created', 'rate_limited', 'auth_error', 'mail_error', 'invalid')),
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX signup_attempts_by_time ON signup_attempts (created_at DESC);
CREATE INDEX signup_attempts_by_email ON signup_attempts (email, created_at DESC);

-- context holds whatever the code had at hand: nobody but the application reads it.
CREATE TABLE error_logs (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    level       text NOT NULL CHECK (level IN ('warning', 'error', 'fatal')),
    route       text NOT NULL,
    code        text NOT NULL,
    message     text NOT NULL,
    user_id     uuid,
    context     jsonb,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX error_logs_by_time ON error_logs (created_at DESC);

CREATE TABLE api_keys (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id       uuid NOT NULL REFERENCES profiles (id),
    label         text NOT NULL,
    prefix        text NOT NULL,
    key_hash      text NOT NULL,
    last_used_at  timestamptz,
    last_used_ip  text,
    revoked_at    timestamptz,
    revoked_for   text,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX api_keys_by_user ON api_keys (user_id);

-- Every reading of customers' data by a key: the evidence when a key was stolen.
CREATE TABLE access_logs (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    api_key_id  uuid NOT NULL REFERENCES api_keys (id),
    tenant_id   uuid NOT NULL REFERENCES tenants (id),
    ip          text NOT NULL,
    route       text NOT NULL,
    row_count   integer NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX access_logs_by_key ON access_logs (api_key_id, created_at DESC);

CREATE TABLE incident_records (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text NOT NULL,
    summary      text NOT NULL,
    details      jsonb,
    recorded_by  text NOT NULL,
    recorded_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE maintenance_windows (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('scheduled', 'emergency')),
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL,
    announced_at  timestamptz,
    started_at    timestamptz,
    finished_at   timestamptz,
    summary       text NOT NULL DEFAULT '',
    UNIQUE (kind, starts_at)
);

-- As the Supabase CLI keeps it: the version is the time of the migration.
CREATE SCHEMA supabase_migrations;
CREATE TABLE supabase_migrations.schema_migrations (
    version  text PRIMARY KEY,
    name     text
);
GRANT USAGE ON SCHEMA supabase_migrations TO aias_read;
GRANT SELECT ON supabase_migrations.schema_migrations TO aias_read;

CALL pg_temp.usual_rights();

-- Row level security as Supabase knows it: who is signed in stands in a setting of the session.
ALTER TABLE workflows ENABLE ROW LEVEL SECURITY;
ALTER TABLE workflow_executions ENABLE ROW LEVEL SECURITY;
CREATE POLICY workflows_of_my_tenants ON workflows FOR SELECT TO aias_app USING (
    EXISTS (SELECT FROM tenant_members m JOIN role_permissions p ON p.role = m.role AND p.permission = 'workflows.read'
            WHERE m.tenant_id = workflows.tenant_id AND m.status = 'active'
              AND m.user_id::text = current_setting('request.jwt.sub', true)));
CREATE POLICY executions_of_my_tenants ON workflow_executions FOR SELECT TO aias_app USING (
    EXISTS (SELECT FROM workflows w WHERE w.id = workflow_executions.workflow_id));
CREATE POLICY operators_read ON workflows FOR SELECT TO aias_read, aias_act USING (true);
CREATE POLICY operators_read ON workflow_executions FOR SELECT TO aias_read, aias_act USING (true);
CREATE POLICY operators_change ON workflow_executions FOR UPDATE TO aias_act USING (true);

REVOKE SELECT ON error_logs, api_keys FROM aias_read, aias_act;
GRANT SELECT (id, level, route, code, message, user_id, created_at) ON error_logs TO aias_read, aias_act;
GRANT SELECT (id, user_id, label, prefix, last_used_at, last_used_ip, revoked_at, revoked_for, created_at)
    ON api_keys TO aias_read, aias_act;

GRANT UPDATE (tier, status, stripe_customer_id, stripe_subscription_id, current_period_end, updated_at)
    ON subscription_tiers TO aias_act;
GRANT UPDATE ON workflow_executions TO aias_act;
GRANT UPDATE (hits, blocked_until) ON rate_limits TO aias_act;
GRANT UPDATE (status, updated_at) ON tenant_members TO aias_act;
GRANT INSERT, DELETE ON role_permissions TO aias_act;
GRANT UPDATE (revoked_at, revoked_for) ON api_keys TO aias_act;
GRANT INSERT ON incident_records TO aias_act;
GRANT INSERT, UPDATE, DELETE ON maintenance_windows TO aias_act;
REVOKE ALL ON incident_records FROM aias_app;

CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
