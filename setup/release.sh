#!/bin/sh
# Packs a program that was built into what is released: an archive with the program, its completions and
# manual pages, the unit for systemd, the configuration, rules for alerts, the dashboard, documents and
# licences; what it is made of (CycloneDX); and the digests of both.
#
#   setup/release.sh PROGRAM FOLDER
#
# The same program and commit give the same bytes: names are sorted, owners left out, and all times are that
# of the commit (or SOURCE_DATE_EPOCH). Needs python3, tar of GNU, gzip and, to leave symbols out, strip.
set -eu

program=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")/.." && pwd)
version=$("$program" --version | cut -d ' ' -f 2)
# As the compiler names the machine that a program is for.
target=${TARGET:-$(rustc -vV | sed -n 's/^host: //p')}
name="goodstanding-$version-$target"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct || true)}
[ -n "$SOURCE_DATE_EPOCH" ] || {
    echo "release: there is no commit here whose time it could take: set SOURCE_DATE_EPOCH" >&2
    exit 1
}
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree="$work/$name"
mkdir -p "$tree/bin" "$tree/completions" "$tree/systemd" "$tree/prometheus" "$tree/grafana"

if command -v strip >/dev/null 2>&1; then
    strip -o "$tree/bin/goodstanding" "$program"
else
    echo "release: without strip; the program keeps its symbols"
    cp "$program" "$tree/bin/goodstanding"
fi
for shell in bash zsh fish; do
    "$program" completions "$shell" >"$tree/completions/goodstanding.$shell"
done
"$program" man "$tree/man" >/dev/null

cd "$here"
cp docker/systemd/goodstanding.service "$tree/systemd/"
cp docker/prometheus/alerts.yaml "$tree/prometheus/"
cp docker/grafana/goodstanding.json "$tree/grafana/"
cp -R config docs README.md CHANGELOG.md SECURITY.md LICENSE "$tree/"
cargo metadata --locked --format-version 1 --filter-platform "$target" >"$work/metadata.json"
python3 setup/release.py sbom "$work/metadata.json" Cargo.lock >"$work/$name.cdx.json"
python3 setup/release.py licences "$work/metadata.json" >"$tree/THIRD-PARTY.txt"

# Whoever unpacks it reads everything, and the program runs.
chmod -R u=rwX,go=rX "$tree"
chmod 0755 "$tree/bin/goodstanding"
tar --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
    -C "$work" -cf - "$name" | gzip -n >"$work/$name.tar.gz"
mv "$work/$name.tar.gz" "$work/$name.cdx.json" "$folder/"
cd "$folder"
sha256sum "$name.tar.gz" "$name.cdx.json" >SHA256SUMS
echo "$folder/$name.tar.gz"
