"""Settings of PostgreSQL and Redis: what is proposed, why, and which of it may be applied."""
