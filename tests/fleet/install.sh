#!/usr/bin/env bash
# Installs what the tests start and pip does not bring. Says what it does; leaves out, by name, what it cannot do.
# Each part is skipped when it is there already. Maven parts land in .cache/fleet (see tests/fleet/*/).
set -uo pipefail
cd "$(dirname "$0")/../.."

apt_install() { # what it is for, then package names
    local purpose=$1 && shift
    if ! command -v apt-get >/dev/null; then
        echo "fleet: $purpose needs the Debian packages $* (no apt-get here); its tests are skipped"
    elif [ "$(id -u)" != 0 ]; then
        echo "fleet: $purpose needs the Debian packages $*, and root to install them; its tests are skipped"
    else
        echo "fleet: installing $* for $purpose"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
            echo "fleet: installing $* failed; its tests are skipped"
    fi
}

command -v chromium >/dev/null || apt_install "the browser tests" chromium
[ -n "$(compgen -G '/usr/lib/postgresql/*/bin/postgres')" ] || apt_install "the system's PostgreSQL" postgresql
[ -x "$(PATH=$PATH:/usr/sbin command -v mariadbd)" ] || apt_install "MariaDB" mariadb-server
command -v redis-server >/dev/null || apt_install "Redis" redis-server
exit 0
