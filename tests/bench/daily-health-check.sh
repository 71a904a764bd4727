#!/bin/bash
# The guide's own "Morning Health Check", line by line, corrected only where it could not run:
#   - the guide's L42 and L43 are a syntax error (unquoted parentheses), which ends the whole script: quoted,
#     and with `--get --data-urlencode`, because curl reads [5m] in an address as a range
#   - L28 `./scripts/verify-service-health.sh` is not part of the guide: one curl of /healthz
#   - L42 and L43 piped the answer through `jq '.'`, which is not on every machine: printed as it comes
#   - `http://prometheus:9090` and the API's address are read from the environment, KUBECONFIG too
# It prints and never judges, as in the guide; a step that fails ends it here, so that none is measured by
# failing quickly.
set -euo pipefail

echo "🌅 Starting daily health check at $(date)"

# System status overview (`|| true`: grep finds nothing when every pod runs)
kubectl get pods -n doc-rag-prod --no-headers | { grep -v Running || true; } | wc -l
kubectl top nodes
kubectl top pods -n doc-rag-prod

# Service health verification
curl --fail --silent --show-error "$API_URL/healthz"

# Database health
kubectl exec -n doc-rag-prod deployment/postgres -- psql -U docrag -d docrag -c "SELECT version();"
kubectl exec -n doc-rag-prod deployment/postgres -- psql -U docrag -d docrag -c "SELECT count(*) FROM documents;"

# Cache health
kubectl exec -n doc-rag-prod deployment/redis -- redis-cli ping
kubectl exec -n doc-rag-prod deployment/redis -- redis-cli info memory

# Storage usage check
kubectl exec -n doc-rag-prod deployment/api -- df -h /app/storage

# Performance metrics snapshot
curl --fail --silent --show-error --get "$PROMETHEUS_URL/api/v1/query" \
    --data-urlencode 'query=rate(http_requests_total[5m])'
curl --fail --silent --show-error --get "$PROMETHEUS_URL/api/v1/query" \
    --data-urlencode 'query=histogram_quantile(0.95,rate(http_request_duration_seconds_bucket[5m]))'

echo "✅ Daily health check completed"
