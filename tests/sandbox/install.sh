#!/bin/sh
# Installs what the sandbox runs, on Debian 12 or Ubuntu 24.04, as root or with sudo. Quick when all is there.
# No service of the machine is started or touched: while packages install, policy-rc.d forbids starts, and
# postgresql-common is told to make no cluster. Both are put back as they were.
set -eu

PACKAGES="postgresql redis-server prometheus prometheus-alertmanager
  bubblewrap chromium procps curl ca-certificates iproute2 util-linux gzip tar"

POLICY=/usr/sbin/policy-rc.d
CLUSTERS=/etc/postgresql-common/createcluster.conf
MARK="# docrag sandbox, while it installs"

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

install_packages() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

our_policy=""
restore() {
  [ -z "$our_policy" ] || $as_root rm -f "$POLICY"
  [ ! -e "$CLUSTERS" ] || $as_root sed -i "/$MARK\$/d" "$CLUSTERS"
}
trap restore EXIT
trap 'exit 130' INT TERM

if [ ! -e "$POLICY" ]; then
  our_policy=yes
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$POLICY" >/dev/null
  $as_root chmod 755 "$POLICY"
fi

echo "Installing:$missing"
$as_root apt-get update -qq
# The server's own set-up reads this file, which comes with postgresql-common: first that, then the rest.
installed postgresql-common || install_packages postgresql-common
echo "create_main_cluster = false $MARK" | $as_root tee -a "$CLUSTERS" >/dev/null
# shellcheck disable=SC2086 # the list is meant to be split
install_packages $missing
