#!/bin/sh
# Installs what the sandbox runs, on Debian 12 or Ubuntu 24.04, as root or with sudo. Quick when all is there.
# No service of the machine is started or touched: while packages install, policy-rc.d forbids starts, and
# postgresql-common is told to make no cluster. Both are put back as they were.
set -eu

PACKAGES="postgresql redis-server prometheus prometheus-alertmanager
  bubblewrap busybox chromium chromium-driver procps curl ca-certificates iproute2 util-linux gzip tar"

POLICY=/usr/sbin/policy-rc.d
NO_CLUSTER=/etc/postgresql-common/createcluster.d/docrag-sandbox.conf

installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=""
for package in $PACKAGES; do
  installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "Not installed:$missing. Run this as root, or install sudo." >&2; exit 1; }
  as_root=sudo
fi

our_policy=""
log=$(mktemp)
restore() {
  [ -z "$our_policy" ] || $as_root rm -f "$POLICY"
  $as_root rm -f "$NO_CLUSTER"
  rm -f "$log"
}
trap restore EXIT
trap 'exit 130' INT TERM

quietly() {
  "$@" >"$log" 2>&1 || { status=$?; tail -n 40 "$log" >&2; exit "$status"; }
}

if [ ! -e "$POLICY" ]; then
  our_policy=yes
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$POLICY" >/dev/null
  $as_root chmod 755 "$POLICY"
fi
$as_root mkdir -p "$(dirname "$NO_CLUSTER")"
echo "create_main_cluster = false" | $as_root tee "$NO_CLUSTER" >/dev/null

echo "Installing (a few minutes):$missing"
# shellcheck disable=SC2086 # empty when we are root
quietly $as_root apt-get update -qq
# shellcheck disable=SC2086 # the list is meant to be split
quietly $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing

# What we just brought shall not start at the next boot either; services that were there before stay as they are.
if command -v systemctl >/dev/null; then
  for service in postgresql redis-server prometheus prometheus-alertmanager; do
    case " $missing " in
      *" $service "*) quietly $as_root systemctl disable --quiet "$service.service" ;;
    esac
  done
fi
