"""Where measurements come from, one module per source; each has `answer(checks, asking)`."""
