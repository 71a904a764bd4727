"""One foreign system each: fetch or do, decide nothing. Every call has a time limit."""
