import { readFile } from 'node:fs/promises';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import type { DeploymentNode } from '../deployment/model.js';
import { nodeFiles } from '../deployment/render/health-check.js';
import { sha256 } from '../deployment/write-files.js';
import { explainSystemError } from '../errors.js';
import type { Hashes, NodeFile } from './delivery.js';

/** The files of the folder that a node's server reads, or that its health check does. */
export async function readNodeFiles(loaded: LoadedDeployment, node: DeploymentNode): Promise<NodeFile[]> {
  return Promise.all(
    nodeFiles(loaded.deployment, node).map(async (path) => {
      const file = loaded.locate(path);
      try {
        const mode = /\.(?:key|password|conf|acl)$/.test(path) ? 0o600 : 0o644;
        return { path, mode, content: await readFile(file, 'utf8') };
      } catch (error) {
        throw explainSystemError(error, file);
      }
    }),
  );
}

export function hashesOf(files: readonly NodeFile[]): Hashes {
  return Object.fromEntries(files.map(({ path, content }) => [path, sha256(content)]));
}

/** Paths whose hashes differ, sorted. */
export function differingPaths(before: Hashes, after: Hashes): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((path) => before[path] !== after[path])
    .sort();
}
