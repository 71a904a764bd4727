"""The care of a PostgreSQL database: what may go, what asks for work, and what proves that it helped."""
