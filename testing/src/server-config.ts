import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Pki, type PkiCredential, sharedPki, writePki } from './pki.js';

/** Directives by name; an array repeats the directive. Or whole lines as they stand in the file. */
export type ConfigLines = Readonly<Record<string, string | number | readonly string[]>> | readonly string[];

export interface ServerTls {
  /** Default: the process's common one. */
  readonly pki?: Pki;
  /** The certificate that is served. Default `server`, the right one. */
  readonly certificate?: PkiCredential;
  /** Whether clients must show a certificate. Default `off`. */
  readonly clientAuth?: 'off' | 'optional' | 'required';
}

export function renderLines(config: ConfigLines = []): string[] {
  if (Array.isArray(config)) return [...config];
  return Object.entries(config as Record<string, string | number | readonly string[]>).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => `${name} ${one}`),
  );
}

export function quote(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** What a server's TLS needs in its file, and what a client needs to reach it. */
export async function prepareTls(tls: boolean | ServerTls | undefined, dir: string) {
  if (!tls) return undefined;
  const { pki = await sharedPki(), certificate = 'server', clientAuth = 'off' } = tls === true ? {} : tls;
  const files = await writePki(pki, dir, certificate);
  const clientFiles = await writePki(pki, dir, 'client');
  const mode = { off: 'no', optional: 'optional', required: 'yes' }[clientAuth];
  return {
    pki,
    files: { ca: files.ca, clientCert: clientFiles.cert, clientKey: clientFiles.key },
    lines: [
      `tls-cert-file ${quote(files.cert)}`,
      `tls-key-file ${quote(files.key)}`,
      `tls-ca-cert-file ${quote(files.ca)}`,
      `tls-auth-clients ${mode}`,
    ],
    client: { ca: certificate === 'otherServer' ? pki.otherCa : pki.ca, ...pki.client },
  };
}

export async function writeConfig(dir: string, name: string, lines: readonly string[]): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  return path;
}
