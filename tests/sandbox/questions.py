"""What people ask Doc-RAG. The known question is the one a health check may rely on."""

KNOWN = "What is the retention period of audit logs?"
TOPICS = (
    "access control",
    "backup",
    "billing",
    "certificate renewal",
    "data export",
    "deployment",
    "embedding model",
    "incident response",
    "index rebuild",
    "invoice matching",
    "key rotation",
    "latency budget",
    "leave request",
    "network policy",
    "onboarding",
    "password reset",
    "procurement",
    "rate limit",
    "remote work",
    "security training",
    "single sign-on",
    "storage tier",
    "support ticket",
    "vendor review",
)
KINDS = ("policy", "checklist", "runbook", "handbook")
ALL = (KNOWN, *(f"Which {topic} {kind} applies to my team?" for kind in KINDS for topic in TOPICS))
POPULAR_DOCUMENTS = 200
