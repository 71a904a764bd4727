-- Rows for every table, the same ones at every build except for times, which count back from now.
-- `sandbox.documents` holds the number of documents; the other tables follow from it.
-- Source: invented. Ages: documents up to 2 years, sessions up to 120 days, audit rows up to 200 days.
SELECT setseed(0.42);

SET ROLE docrag;

INSERT INTO documents (title, source, language, status, body, checksum, created_at, updated_at, search)
SELECT 'Retention of audit logs', 'wiki/policies', 'en', 'indexed', body, md5(body),
       now() - interval '700 days', now() - interval '30 days',
       to_tsvector('english', 'Retention of audit logs ' || body)
FROM (VALUES ('The retention period of audit logs is 90 days. After that they are exported and deleted.')) AS v (body);

WITH words AS (
    SELECT ARRAY['Access control', 'Backup', 'Billing', 'Certificate renewal', 'Data export', 'Deployment',
                 'Embedding model', 'Incident response', 'Index rebuild', 'Invoice matching', 'Key rotation',
                 'Latency budget', 'Leave request', 'Meeting room', 'Network policy', 'Onboarding',
                 'Password reset', 'Procurement', 'Quota', 'Rate limit', 'Release notes', 'Remote work',
                 'Security training', 'Service level', 'Single sign-on', 'Storage tier', 'Support ticket',
                 'Travel expense', 'Upgrade path', 'Vendor review'] AS topic,
           ARRAY['guide', 'policy', 'checklist', 'minutes', 'runbook', 'contract', 'report', 'handbook'] AS kind,
           ARRAY['wiki/handbook', 'wiki/policies', 'sharepoint/legal', 'sharepoint/finance', 'git/docs',
                 'mail/archive'] AS source,
           ARRAY['applies to all teams', 'is reviewed every quarter', 'needs the approval of the owner',
                 'was changed after the last review', 'is described step by step below',
                 'replaces the earlier version', 'is measured by the operations team',
                 'must be confirmed within five working days'] AS sentence
),
numbered AS (
    SELECT n,
           w.topic[1 + (n * 7) % 30] AS topic,
           w.kind[1 + (n / 30) % 8]  AS kind,
           w.source[1 + n % 6]       AS source,
           w.sentence[1 + n % 8]         AS first,
           w.sentence[1 + (n / 8) % 8]   AS second,
           w.sentence[1 + (n / 64) % 8]  AS third,
           random() AS r
    FROM generate_series(2, current_setting('sandbox.documents')::integer) AS n, words AS w
)
INSERT INTO documents (title, source, language, status, body, checksum, created_at, updated_at, search)
SELECT title, source, CASE WHEN n % 9 = 0 THEN 'de' ELSE 'en' END,
       CASE WHEN n % 400 = 0 THEN 'failed' WHEN n % 150 = 0 THEN 'pending' ELSE 'indexed' END,
       body, md5(body), now() - r * interval '700 days', now() - r * r * interval '300 days',
       to_tsvector('english', title || ' ' || body)
FROM (
    SELECT n, source, r, format('%s %s %s', topic, kind, n) AS title,
           format('The %s %s number %s %s. It %s. The section on %s %s. Owner: team %s.',
                  lower(topic), kind, n, first, second, lower(topic), third, 1 + n % 17) AS body
    FROM numbered
) AS made;

INSERT INTO vectors (document_id, chunk_no, chunk, model, embedding, created_at)
SELECT d.id, c, format('%s, part %s: %s', d.title, c, left(d.body, 160)), 'minilm-l6-v2',
       ARRAY[trunc(random() * 100), trunc(random() * 100), trunc(random() * 100), trunc(random() * 100),
             trunc(random() * 100), trunc(random() * 100), trunc(random() * 100), trunc(random() * 100)]::real[],
       d.created_at
FROM documents AS d, generate_series(1, 4) AS c;

INSERT INTO user_sessions (user_id, token, ip, user_agent, created_at, last_seen_at, expires_at)
SELECT 1 + n % 4000, md5(n::text)::uuid, ('10.20.' || n % 250 || '.' || (n / 250) % 250)::inet,
       (ARRAY['Mozilla/5.0 (X11; Linux x86_64)', 'Mozilla/5.0 (Windows NT 10.0)',
              'Mozilla/5.0 (Macintosh; Intel Mac OS X)', 'docrag-cli/2.3'])[1 + n % 4],
       made, least(now(), made + random() * interval '20 days'), made + interval '30 days'
FROM (SELECT n, now() - random() * interval '120 days' AS made
      FROM generate_series(1, current_setting('sandbox.documents')::integer) AS n) AS s;

INSERT INTO audit_logs (created_at, actor, action, object_type, object_id, ip, details)
SELECT now() - age, 'user-' || 1 + n % 4000,
       (ARRAY['login', 'query', 'document.read', 'document.upload', 'document.delete', 'settings.change'])
           [1 + (n::bigint * n) % 6],
       (ARRAY['session', 'document', 'document', 'setting'])[1 + n % 4],
       1 + n % current_setting('sandbox.documents')::integer,
       ('10.20.' || n % 250 || '.' || (n / 250) % 250)::inet,
       jsonb_build_object('request_id', md5(n::text), 'duration_ms', (random() * 400)::integer)
FROM (SELECT n, random() * interval '200 days' AS age
      FROM generate_series(1, 3 * current_setting('sandbox.documents')::integer) AS n ORDER BY age DESC) AS a;

CREATE INDEX documents_search ON documents USING gin (search);
CREATE INDEX documents_updated_at ON documents (updated_at);
CREATE UNIQUE INDEX vectors_document_chunk ON vectors (document_id, chunk_no);
CREATE UNIQUE INDEX user_sessions_token ON user_sessions (token);
CREATE INDEX user_sessions_last_seen_at ON user_sessions (last_seen_at);
CREATE INDEX user_sessions_user_id ON user_sessions (user_id);
CREATE INDEX audit_logs_created_at ON audit_logs (created_at);
CREATE INDEX audit_logs_actor ON audit_logs (actor);

RESET ROLE;
