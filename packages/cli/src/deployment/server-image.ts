import { type EngineName, releaseLineOf } from '../vocabulary/engines.js';

import type { Deployment } from './model.js';

/** Where each vendor publishes its images, and the tag of a release line there. Dragonfly has tags of releases only. */
const official: Readonly<Record<EngineName, (line: string) => string>> = {
  redis: (line) => `docker.io/library/redis:${line}`,
  valkey: (line) => `docker.io/valkey/valkey:${line}`,
  dragonfly: (line) => `docker.dragonflydb.io/dragonflydb/dragonfly:v${line}.0`,
};

/** The image that containers and pods run: the one that was named, else the vendor's of the release line. */
export function serverImage({ engine, image }: Pick<Deployment, 'engine' | 'image'>): string {
  return image ?? official[engine.name](releaseLineOf(engine.version));
}

/** An image in its parts, as a kustomization names them. */
export function imageParts(image: string): {
  readonly newName: string;
  readonly newTag?: string;
  readonly digest?: string;
} {
  const found = /^(?<name>.+?)(?::(?<tag>[^:/@]+))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/.exec(image)?.groups ?? {};
  const { name = image, tag, digest } = found;
  // Exactly what was tested: with a digest the tag says nothing more.
  if (digest !== undefined) return { newName: name, digest };
  return { newName: name, ...(tag === undefined ? {} : { newTag: tag }) };
}
