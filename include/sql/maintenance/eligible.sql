-- One row is the table. eligible: rows that may go; held: rows as old that a legal hold keeps; referenced: rows as old
-- that a row of another table points to; undated: rows without a time, which are never deleted.
SELECT count(*) FILTER (WHERE t.{column} < %(cutoff)s::{type} AND NOT {held}) AS eligible,
       count(*) FILTER (WHERE t.{column} < %(cutoff)s::{type} AND {hold}) AS held,
       count(*) FILTER (WHERE t.{column} < %(cutoff)s::{type} AND NOT {hold} AND {referenced}) AS referenced,
       count(*) FILTER (WHERE t.{column} IS NULL) AS undated
FROM ONLY {table} AS t
WHERE t.{column} < %(cutoff)s::{type} OR t.{column} IS NULL
