"""Counters and a histogram, in Prometheus' text format."""

from collections import Counter, defaultdict

from tests.sandbox.traffic import BUCKETS_SECONDS, bucket_index

UNKNOWN_TOKEN = "unknown_token"


class RequestMetrics:
    """http_requests_total{method,route,status}, http_request_duration_seconds{method,route}, auth_failures_total."""

    def __init__(self) -> None:
        self.auth_failures: Counter[str] = Counter({UNKNOWN_TOKEN: 0})
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.buckets: dict[tuple[str, str], list[int]] = {}
        self.seconds: defaultdict[tuple[str, str], float] = defaultdict(float)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        self.requests[method, route, str(status)] += 1
        buckets = self.buckets.setdefault((method, route), [0] * (len(BUCKETS_SECONDS) + 1))
        buckets[bucket_index(seconds)] += 1
        self.seconds[method, route] += seconds

    def text(self) -> str:
        lines = [
            "# HELP http_requests_total Requests answered, by route and status.",
            "# TYPE http_requests_total counter",
        ]
        for (method, route, status), count in sorted(self.requests.items()):
            lines.append(
                f'http_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
            )
        lines += [
            "# HELP http_request_duration_seconds Time to answer.",
            "# TYPE http_request_duration_seconds histogram",
        ]
        for method, route in sorted(self.buckets):
            lines += self._histogram(method, route)
        lines += [
            "# HELP auth_failures_total Requests refused for what they came with.",
            "# TYPE auth_failures_total counter",
        ]
        for reason, count in sorted(self.auth_failures.items()):
            lines.append(f'auth_failures_total{{reason="{reason}"}} {count}')
        return "\n".join(lines) + "\n"

    def _histogram(self, method: str, route: str) -> list[str]:
        name, labels = "http_request_duration_seconds", f'method="{method}",route="{route}"'
        lines, total = [], 0
        for bound, count in zip(
            [*(f"{b:g}" for b in BUCKETS_SECONDS), "+Inf"], self.buckets[method, route], strict=True
        ):
            total += count
            lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {total}')
        seconds = round(self.seconds[method, route], 6)
        return [*lines, f"{name}_sum{{{labels}}} {seconds}", f"{name}_count{{{labels}}} {total}"]
