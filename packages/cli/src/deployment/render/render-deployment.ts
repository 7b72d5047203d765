import type { TargetName } from '../../vocabulary/names.js';
import type { Material } from '../material.js';
import { type Deployment, type DeploymentNode, dataNodes, sentinelNodes } from '../model.js';
import { serverPath } from '../server-path.js';
import { renderArchiveService } from './archive-service.js';
import { renderClientSnippets, renderDotEnv } from './client-snippets.js';
import { renderCompose } from './compose.js';
import { renderDecisions } from './decisions-md.js';
import { renderDragonflyFlags } from './dragonfly-flags.js';
import { renderEncryptionAtRest } from './encryption-at-rest.js';
import { renderFirewall } from './firewall.js';
import { renderGitignore } from './gitignore.js';
import { renderHealthScripts } from './health-check.js';
import { renderKubernetes } from './kubernetes.js';
import { renderMaterial } from './material-files.js';
import { renderMonitoring } from './monitoring.js';
import { renderRedisConf } from './redis-conf.js';
import type { RenderedFile } from './rendered-file.js';
import { renderRenewal } from './renewal.js';
import { renderRotation } from './rotation.js';
import { renderRunbook } from './runbook.js';
import { renderSecretStores } from './secret-stores.js';
import { renderSentinelConf } from './sentinel-conf.js';
import { renderSystemd } from './systemd.js';
import { renderSentinelAcl, renderUsersAcl } from './users-acl.js';

/** Every file of a deployment. Pure: `folder` is only written into paths. */
export function renderDeployment(deployment: Deployment, material: Material, folder: string): RenderedFile[] {
  return [
    renderGitignore(),
    renderDecisions(deployment),
    renderRunbook(deployment, folder),
    ...renderMaterial(deployment, material),
    ...[...dataNodes(deployment), ...sentinelNodes(deployment)].flatMap((node) =>
      renderNode(deployment, node, material, folder),
    ),
    ...renderTarget[deployment.target](deployment),
    ...renderFirewall(deployment),
    ...renderMonitoring(deployment, folder),
    ...renderClientSnippets(deployment, folder),
    ...renderDotEnv(deployment, material, folder),
    ...renderHealthScripts(deployment, folder),
    ...renderRenewal(deployment, folder),
    ...renderArchiveService(deployment, folder),
    ...renderRotation(deployment, folder),
    ...renderSecretStores(deployment),
    ...renderEncryptionAtRest(deployment.policy.memoryMegabytes),
  ];
}

const renderTarget: Readonly<Record<TargetName, (deployment: Deployment) => RenderedFile[]>> = {
  local: () => [],
  compose: (deployment) => [renderCompose(deployment)],
  systemd: renderSystemd,
  kubernetes: renderKubernetes,
};

function renderNode(deployment: Deployment, node: DeploymentNode, material: Material, folder: string): RenderedFile[] {
  const locate = (relativePath: string) => serverPath(deployment, folder, relativePath);
  if (node.role === 'sentinel')
    return [
      renderSentinelConf({ deployment, node, material, locate }),
      renderSentinelAcl(deployment, node, material),
      dataFolder(node.dataDir),
    ];
  return [
    deployment.engine.name === 'dragonfly'
      ? renderDragonflyFlags(deployment, node, locate)
      : renderRedisConf({ deployment, node, material, locate }),
    renderUsersAcl(deployment, node, material),
    dataFolder(node.dataDir),
  ];
}

/** The servers do not make their data folder themselves. */
function dataFolder(dataDir: string): RenderedFile {
  return { path: `${dataDir}/.keep`, mode: 0o600, content: '', made: true };
}
