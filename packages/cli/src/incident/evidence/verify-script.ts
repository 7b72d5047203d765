/** Put into each bundle. Needs a POSIX shell, openssl and awk; not Redkeep. */
export const verifyScript = `#!/bin/sh
# Verifies this folder with openssl alone. Compare the fingerprint that it prints with what the collector says:
# the key in this folder proves nothing about who made it.   Usage: sh verify.sh [TSA-CA.pem]
set -eu
cd "$(dirname "$0")"
openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig
while read -r expected name; do
  actual=$(openssl dgst -sha256 -r "$name" | awk '{ print $1 }')
  [ "$actual" = "$expected" ] || { echo "CHANGED: $name" >&2; exit 1; }
done < SHA256SUMS
echo "Every file is as it was signed. Key fingerprint (SHA-256):"
openssl pkey -pubin -in public-key.pem -outform DER | openssl dgst -sha256 -r | awk '{ print $1 }'
if [ -f SHA256SUMS.tsr ]; then
  openssl ts -reply -in SHA256SUMS.tsr -text | grep 'Time stamp:'
  if [ $# -gt 0 ]; then openssl ts -verify -data SHA256SUMS -in SHA256SUMS.tsr -CAfile "$1"; fi
fi
`;
