import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { secretVariable } from '../../facts/secret-variable.js';

/** What a file holds, by what is in it. */
export interface Content {
  readonly holds: string;
  readonly isSecret: boolean;
  /** Public keys, as base64 of their SPKI: of the private keys in it, or of the authorities' certificates. */
  readonly privateKeys?: readonly string[];
  readonly authorities?: readonly string[];
}

const secretName = /secret|passw|token|credential/i;
const hashes = /^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})$/i;

function spki(key: KeyObject): string {
  return (key.type === 'private' ? createPublicKey(key) : key)
    .export({ type: 'spki', format: 'der' })
    .toString('base64');
}

function derKey(bytes: Buffer): KeyObject | undefined {
  if (bytes[0] !== 0x30) return undefined;
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    try {
      return createPrivateKey({ key: bytes, format: 'der', type });
    } catch {
      // Not of this form.
    }
  }
  return undefined;
}

function pemKeys(text: string): string[] {
  const blocks = text.match(/-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?-----END \1-----/g) ?? [];
  return blocks.flatMap((pem) => {
    try {
      return [spki(createPrivateKey(pem))];
    } catch {
      return [];
    }
  });
}

function certificates(bytes: Buffer, text: string): X509Certificate[] {
  const pems = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const all: (string | Buffer)[] = pems.length > 0 ? pems : bytes[0] === 0x30 ? [bytes] : [];
  return all.flatMap((one) => {
    try {
      return [new X509Certificate(one)];
    } catch {
      return [];
    }
  });
}

/** PKCS #12 begins with SEQUENCE, INTEGER 3 (RFC 7292, 4). */
function isPkcs12(bytes: Buffer): boolean {
  if (bytes[0] !== 0x30 || bytes.length < 8) return false;
  const length = bytes[1]! < 0x80 ? 2 : 2 + (bytes[1]! & 0x7f);
  return bytes.subarray(length, length + 3).equals(Buffer.from([2, 1, 3]));
}

/** Bits of information a character, if each were drawn from those that occur. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
}

/** A file with nothing but one secret in it, as Compose, Kubernetes and systemd hand them over. */
function isBareSecret(path: string, text: string): boolean {
  const line = text.trim();
  if (!/^[!-~]{8,512}$/.test(line)) return false;
  if (secretName.test(basename(path)) || secretName.test(basename(dirname(path)))) return !/^[./]/.test(line);
  return (
    line.length >= 24 && !hashes.test(line) && /^[A-Za-z0-9_+/=-]+$/.test(line) && /\d/.test(line) && entropy(line) >= 4
  );
}

/** `NAME=value` with a secret name, and a value that is one: neither a reference nor a path to a file. */
function hasSecretVariable(text: string): boolean {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s*[#;[]/.test(line));
  if (lines.length === 0 || !lines.every((line) => /^\s*(export\s+|Environment=)?"?[A-Za-z_]\w*=/.test(line)))
    return false;
  return lines.some((line) => {
    const [, name = '', value = ''] = line.match(/([A-Za-z_]\w*)=["']?([^"'\s]*)["']?\s*$/) ?? [];
    return secretVariable.test(name) && value.length >= 4 && !/^[$/]/.test(value);
  });
}

const passwordDirective =
  /^\s*(requirepass|masterauth|primaryauth|tls-key-file-pass|tls-client-key-file-pass|sentinel\s+(auth-pass\s+\S+|sentinel-pass))\s+(?!"")\S/im;
const serverDirective =
  /^\s*(bind|port|tls-port|protected-mode|aclfile|appendonly|maxmemory|sentinel\s+monitor)\s+\S/im;
const aclUser = /^\s*user\s+\S+\s+(.*\s)?(on|off)(\s|$)/m;
const address = /\b(?:redis|valkey)s?:\/\/[^:@/\s"']*:(?!\$|\*|<)[^@\s"'{}]+@/;

/** Judges a file by its content; `undefined` for one that nothing is known of. */
export function contentOf(path: string, bytes: Buffer): Content | undefined {
  const text = bytes.toString('latin1');
  const binary = bytes.subarray(0, 1024).includes(0);
  // A template holds what it is rendered with, and a comment that shows where a key belongs holds none.
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----(\\n|\s|(Proc-Type|DEK-Info)[^\n]*\n)*[A-Za-z0-9+/]{32}/.test(text))
    return { holds: 'a private key', isSecret: true, privateKeys: pemKeys(text) };
  const key = derKey(bytes);
  if (key?.type === 'private') return { holds: 'a private key', isSecret: true, privateKeys: [spki(key)] };
  if (isPkcs12(bytes)) return { holds: 'keys (PKCS #12)', isSecret: true };
  if (bytes.subarray(0, 4).equals(Buffer.from('feedfeed', 'hex'))) return { holds: 'keys (Java)', isSecret: true };
  const found = certificates(bytes, text);
  if (found.length > 0)
    return {
      holds: 'a certificate',
      isSecret: false,
      authorities: found.filter(({ ca }) => ca).map((one) => spki(one.publicKey)),
    };
  if (binary || /^[^#\n]*\{\{.*\}\}/m.test(text)) return undefined;
  if (/^AGE-SECRET-KEY-(PQ-)?1/m.test(text)) return { holds: 'a decryption key (age)', isSecret: true };
  if (aclUser.test(text) && /[#>]\S/.test(text))
    return { holds: 'users with their passwords or hashes', isSecret: true };
  if (passwordDirective.test(text)) return { holds: 'a configuration with a password', isSecret: true };
  if (/^kind:\s*Secret\s*$/m.test(text) && /^(data|stringData):\s*$/m.test(text))
    return { holds: 'a Kubernetes Secret', isSecret: true };
  if (hasSecretVariable(text)) return { holds: 'environment variables with a secret', isSecret: true };
  if (/\.(env|ya?ml|json|toml|ini|conf|cfg|properties)$/.test(path) && address.test(text))
    return { holds: 'an address with a password', isSecret: true };
  if (isBareSecret(path, text)) return { holds: 'a password or token', isSecret: true };
  if (aclUser.test(text)) return { holds: 'users', isSecret: false };
  if (/\.conf$/.test(path) && serverDirective.test(text)) return { holds: 'a configuration', isSecret: false };
  if (/\.ya?ml$/.test(path) && /^(services:|apiVersion:)/m.test(text))
    return { holds: 'a deployment', isSecret: false };
  if (/\.(service|timer|socket)$/.test(path) && /^\[Unit\]/m.test(text)) return { holds: 'a unit', isSecret: false };
  return undefined;
}
