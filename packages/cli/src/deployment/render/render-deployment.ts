import path from 'node:path';
import type { Material } from '../material.js';
import { type Deployment, dataNodes, sentinelNodes } from '../model.js';
import { renderDecisions } from './decisions-md.js';
import { renderGitignore } from './gitignore.js';
import { renderMaterial } from './material-files.js';
import { renderRedisConf } from './redis-conf.js';
import type { RenderedFile } from './rendered-file.js';
import { renderSentinelConf } from './sentinel-conf.js';
import { renderSentinelAcl, renderUsersAcl } from './users-acl.js';

/** Every file of a deployment. Pure: `folder` is only written into paths that the servers read. */
export function renderDeployment(deployment: Deployment, material: Material, folder: string): RenderedFile[] {
  const locate = (relativePath: string) => path.join(folder, relativePath);
  return [
    renderGitignore(),
    renderDecisions(deployment),
    ...renderMaterial(deployment, material),
    ...dataNodes(deployment).flatMap((node) => [
      renderRedisConf({ deployment, node, material, locate }),
      renderUsersAcl(deployment, node, material),
      dataFolder(node.dataDir),
    ]),
    ...sentinelNodes(deployment).flatMap((node) => [
      renderSentinelConf({ deployment, node, material, locate }),
      renderSentinelAcl(deployment, node, material),
      dataFolder(node.dataDir),
    ]),
  ];
}

/** The servers do not make their data folder themselves. */
function dataFolder(dataDir: string): RenderedFile {
  return { path: `${dataDir}/.keep`, mode: 0o600, content: '', made: true };
}
