-- One row is a document that the application finds for its known question (the answer's words have to be among them).
SELECT title, body
FROM public.documents
WHERE search @@ plainto_tsquery('english', 'retention period audit logs')
ORDER BY ts_rank(search, plainto_tsquery('english', 'retention period audit logs')) DESC
LIMIT 3
