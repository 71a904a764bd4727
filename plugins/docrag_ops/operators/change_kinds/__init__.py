"""What each change plans, applies and measures, one module per change; the flow is in `operators/changes.py`."""
