-- One row is the table. eligible: rows that may go; held: rows as old that a legal hold keeps; referenced: rows as old
-- that a row of another table points to; undated: rows without a time, which are never deleted.
-- Where nothing can point to them, the table is read once only.
SELECT CASE WHEN {is_referenced} THEN pointed.free ELSE whole.unheld END AS eligible, whole.held,
       CASE WHEN {is_referenced} THEN whole.unheld - pointed.free ELSE 0 END AS referenced, whole.undated
FROM (SELECT count(*) FILTER (WHERE t.{column} < %(cutoff)s::{type} AND NOT {hold}) AS unheld,
             count(*) FILTER (WHERE t.{column} < %(cutoff)s::{type} AND {hold}) AS held,
             count(*) FILTER (WHERE t.{column} IS NULL) AS undated
      FROM ONLY {table} AS t
      WHERE t.{column} < %(cutoff)s::{type} OR t.{column} IS NULL) AS whole,
     (SELECT count(*) AS free
      FROM ONLY {table} AS t
      WHERE {is_referenced} AND t.{column} < %(cutoff)s::{type} AND {free}) AS pointed
