import { type Material, passwordOf } from '../material.js';
import type { Deployment } from '../model.js';
import type { RenderedFile } from './rendered-file.js';

/** Passwords, certificates and keys as files. Made once and kept by later runs. */
export function renderMaterial(deployment: Deployment, material: Material): RenderedFile[] {
  return [
    ...deployment.users.map((user) => made(user.passwordFile, 0o600, passwordOf(material, user.name))),
    made(deployment.caFile, 0o644, material.ca.cert),
    made(deployment.clientCaFile, 0o644, material.clientCa),
    ...(material.ca.key === undefined ? [] : [made(deployment.caKeyFile, 0o600, material.ca.key)]),
    ...deployment.certificates.flatMap(({ name, certFile, keyFile }) => {
      const pair = material.certificates.get(name);
      if (!pair) throw new Error(`No certificate was made for ${name}.`);
      return [made(certFile, 0o644, pair.cert), made(keyFile, 0o600, pair.key)];
    }),
  ];
}

function made(path: string, mode: 0o600 | 0o644, content: string): RenderedFile {
  return { path, mode, content, made: true };
}
