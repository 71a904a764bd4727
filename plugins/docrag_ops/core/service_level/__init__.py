"""How well the service was for its users: hours of evidence, windows of days made of them, burn of the error budget.

Pure: Prometheus' answers and recorded hours in, measurements out.
"""
