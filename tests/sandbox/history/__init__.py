"""The past of Prometheus: made once, and the time the sandbox was down filled in at a later start."""
