-- One row is the table. keeps: whether it holds a row that may not go.
SELECT EXISTS (SELECT FROM ONLY {table} AS t
               WHERE (t.{column} < %(cutoff)s::{type} AND NOT {hold}) IS NOT TRUE) AS keeps
