"""The small Doc-RAG API: answers questions from the documents in PostgreSQL, with Redis as its cache."""
