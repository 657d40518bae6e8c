#!/usr/bin/env bash
# Makes src/geo/data/countries.bin.zst again from the npm package named here, whose checksum is
# checked. Needs npm and cargo. After a change of version: edit src/geo/data/README.md, too.
set -euo pipefail
cd "$(dirname "$0")/.."
package="@ip-location-db/geo-whois-asn-country-mmdb@2.3.2026061719"
sha256="91757a1b06cdcd1955f292e4c4cfc54e091204f998e159a3187f7a2ef3724be0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
archive="$work/$(cd "$work" && npm pack --silent "$package")"
echo "$sha256  $archive" | sha256sum --check --quiet
tar -xzf "$archive" -C "$work"
cargo run --quiet --example geo-country -- \
    "$work/package/geo-whois-asn-country-ipv4.mmdb" "$work/package/geo-whois-asn-country-ipv6.mmdb" \
    src/geo/data/countries.bin.zst
sha256sum src/geo/data/countries.bin.zst
