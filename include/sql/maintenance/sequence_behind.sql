-- One row is a column that a sequence feeds. furthest: the largest (of a falling sequence the smallest) value in the
-- column. It is read before the sequence is, so that a row that is written meanwhile cannot look like a mistake.
SELECT {extreme}(t.{column})::numeric AS furthest FROM {table} AS t
