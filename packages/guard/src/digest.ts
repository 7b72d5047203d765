import * as crypto from 'node:crypto';

/** In one call since Node 20.12, which halves its time. */
const oneShot = (crypto as { hash?: (algorithm: string, text: string, encoding: string) => string }).hash;

/** SHA-256 of a text, base64url. */
export function sha256(text: string): string {
  return oneShot === undefined
    ? crypto.createHash('sha256').update(text).digest('base64url')
    : oneShot('sha256', text, 'base64url');
}

/** HMAC-SHA256 of a text, base64url; without a key the plain hash. */
export function keyedHash(key: Uint8Array | undefined, text: string): string {
  return key === undefined ? sha256(text) : crypto.createHmac('sha256', key).update(text).digest('base64url');
}
