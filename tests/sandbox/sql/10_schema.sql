-- The tables of Doc-RAG, as its own migrations would make them. Owner: the application's role.
CREATE EXTENSION pg_stat_statements;
CREATE EXTENSION pgstattuple;

SET ROLE docrag;

CREATE TABLE documents (
    id         bigserial PRIMARY KEY,
    title      text        NOT NULL,
    source     text        NOT NULL,
    language   text        NOT NULL DEFAULT 'en',
    status     text        NOT NULL CHECK (status IN ('indexed', 'pending', 'failed')),
    body       text        NOT NULL,
    checksum   text        NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    search     tsvector    NOT NULL
);

CREATE TABLE vectors (
    id          bigserial PRIMARY KEY,
    document_id bigint      NOT NULL REFERENCES documents ON DELETE CASCADE,
    chunk_no    integer     NOT NULL,
    chunk       text        NOT NULL,
    model       text        NOT NULL,
    embedding   real[]      NOT NULL,
    created_at  timestamptz NOT NULL
);

CREATE TABLE user_sessions (
    id           bigserial PRIMARY KEY,
    user_id      bigint      NOT NULL,
    token        uuid        NOT NULL,
    ip           inet        NOT NULL,
    user_agent   text        NOT NULL,
    created_at   timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);

CREATE TABLE audit_logs (
    id          bigserial PRIMARY KEY,
    created_at  timestamptz NOT NULL,
    actor       text        NOT NULL,
    action      text        NOT NULL,
    object_type text        NOT NULL,
    object_id   bigint,
    ip          inet,
    details     jsonb       NOT NULL
);

RESET ROLE;
