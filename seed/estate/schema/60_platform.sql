-- What customers run.
CREATE SCHEMA platform;
COMMENT ON SCHEMA platform IS 'Projects, deployments and machines / Projets, déploiements et machines';

CREATE TABLE platform.ip_pools (
    pool_id integer PRIMARY KEY,
    ip_pool_name text NOT NULL UNIQUE,
    network cidr NOT NULL,
    region text NOT NULL
);

CREATE TABLE platform.projects (
    project_id integer PRIMARY KEY,
    tenant_id integer NOT NULL,
    owner_id integer NOT NULL,
    name text NOT NULL,
    repository_url text NOT NULL,
    region text NOT NULL,
    created_at timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, owner_id) REFERENCES accounts.customers (tenant_id, customer_id)
);

CREATE TABLE platform.deployments (
    deployment_id integer PRIMARY KEY,
    project_id integer NOT NULL REFERENCES platform.projects (project_id),
    previous_id integer REFERENCES platform.deployments (deployment_id),
    version text NOT NULL,
    commit_sha char(40) NOT NULL,
    commit_author text NOT NULL,
    environment jsonb NOT NULL,
    status text NOT NULL,
    started_at timestamptz NOT NULL
);
COMMENT ON COLUMN platform.deployments.version IS 'Four numbers: major.minor.patch.build';
COMMENT ON COLUMN platform.deployments.environment IS 'Variables d''environnement';

CREATE TABLE platform.virtual_machines (
    vm_id integer PRIMARY KEY,
    project_id integer NOT NULL REFERENCES platform.projects (project_id),
    pool_id integer NOT NULL REFERENCES platform.ip_pools (pool_id),
    hostname text NOT NULL,
    private_ip inet NOT NULL,
    size text NOT NULL,
    image_version text NOT NULL
);

CREATE TABLE platform.ssh_keys (
    ssh_key_id integer PRIMARY KEY,
    tenant_id integer NOT NULL,
    customer_id integer NOT NULL,
    public_key text NOT NULL,
    fingerprint text NOT NULL,
    added_at timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);

CREATE TABLE platform.domains (
    domain_id integer PRIMARY KEY,
    project_id integer NOT NULL,
    fqdn text NOT NULL,
    registrant_name text NOT NULL,
    registrant_email text NOT NULL,
    dns_records jsonb NOT NULL
);
COMMENT ON COLUMN platform.domains.project_id IS 'References platform.projects.project_id (not enforced)';

CREATE TABLE platform.notification_channels (
    channel_id integer PRIMARY KEY,
    event text NOT NULL,
    webhook_url text NOT NULL,
    enabled boolean NOT NULL
);
COMMENT ON TABLE platform.notification_channels IS 'Where the platform tells of its events / Où la plateforme annonce ses événements';

CREATE TABLE platform.settings (
    setting text PRIMARY KEY,
    value text NOT NULL
);
