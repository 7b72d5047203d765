import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { dataEncrypted } from '../host/disk-encryption.js';

/** Clouds by what their machines say of their vendor, with the template for a volume encrypted there. */
const clouds: readonly (readonly [vendor: RegExp, name: string, template: string])[] = [
  [/amazon/i, 'AWS', 'aws.tf'],
  [/google/i, 'Google Cloud', 'gcp.tf'],
  [/microsoft/i, 'Azure', 'azure.tf'],
];

/** What is to be said about encryption of the data at rest, or undefined where there is nothing to say. */
export async function adviceOnVolume(folder: string): Promise<string | undefined> {
  const encrypted = await dataEncrypted(await nearestFolder(folder)).catch(() => undefined);
  if (encrypted === true) return 'The volume under the data is encrypted.';
  const cloud = await cloudOfThisMachine();
  if (cloud) {
    return `Whether ${cloud.name} encrypts the volume under the data shows only there: encryption-at-rest/${cloud.template} makes one that is.`;
  }
  if (encrypted === undefined) return undefined;
  return 'The volume under the data is not encrypted: encryption-at-rest/luks.md says how to have one that is.';
}

async function cloudOfThisMachine(): Promise<{ readonly name: string; readonly template: string } | undefined> {
  const vendor = await readFile('/sys/class/dmi/id/sys_vendor', 'utf8').catch(() => '');
  const found = clouds.find(([pattern]) => pattern.test(vendor));
  return found && { name: found[1], template: found[2] };
}

/** The folder itself or, while it is not there, the nearest one above. */
async function nearestFolder(folder: string): Promise<string> {
  for (let current = folder; ; current = path.dirname(current)) {
    if (current === path.dirname(current)) return current;
    const exists = await stat(current).then(
      () => true,
      () => false,
    );
    if (exists) return current;
  }
}
