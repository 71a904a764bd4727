-- One row is the sequence. last_value: the last value that it gave; NULL when it gave none.
SELECT CASE WHEN is_called THEN last_value END AS last_value FROM {sequence}
