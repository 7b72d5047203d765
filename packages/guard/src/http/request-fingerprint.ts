import { anObject, anyText, argument, list } from '../options.js';
import { type AddressedRequest, clientAddress } from './client-address.js';

/** Parts of a request that a fingerprint can be made of. The address changes on mobile networks: not a default. */
export type FingerprintPart = 'user-agent' | 'accept-language' | 'sec-ch-ua-platform' | 'address';

const DEFAULT_PARTS: readonly FingerprintPart[] = ['user-agent', 'accept-language', 'sec-ch-ua-platform'];

/**
 * What a client looks like, as text for `fingerprint`. It hinders the use of a stolen cookie in another browser and
 * proves nothing: every part can be imitated.
 */
export function requestFingerprint(
  request: AddressedRequest,
  parts: readonly FingerprintPart[] = DEFAULT_PARTS,
): string {
  argument(request, 'request', anObject);
  argument(parts, 'parts', list(anyText));
  const values = parts.map((part) =>
    part === 'address' ? clientAddress(request) : String(request.headers?.[part] ?? ''),
  );
  return JSON.stringify(values);
}
