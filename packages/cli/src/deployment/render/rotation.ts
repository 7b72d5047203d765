import { createHash } from 'node:crypto';
import type { ICronJob } from 'kubernetes-models/batch/v1';
import { stringify } from 'yaml';
import type { Deployment } from '../model.js';
import { prefixOf } from '../naming.js';
import { operatorService, operatorTimer } from './operator-unit.js';
import type { RenderedFile } from './rendered-file.js';
import { quoteShell } from './shell.js';
import { quoteUnit } from './systemd.js';

/** What rotates secrets that are due, of every kind: a systemd timer and a line for cron, and on Kubernetes a CronJob. */
export function renderRotation(deployment: Deployment, folder: string): RenderedFile[] {
  const path = 'rotation/redkeep-rotate';
  return [
    operatorService(deployment, {
      path,
      purpose: 'rotate secrets that are due',
      commands: [`redkeep rotate all --due --yes --dir ${quoteUnit(folder)}`],
    }),
    operatorTimer(path, 'Rotate secrets that are due, weekly', 'weekly', '12h'),
    { path: `${path}.cron`, mode: 0o644, content: cron(deployment, folder) },
    ...(deployment.target === 'kubernetes' ? [cronJob(deployment)] : []),
  ];
}

/** A minute, an hour before six and a day of the week that differ from deployment to deployment and stay the same. */
function moment({ name, profile, nodes }: Deployment): string {
  const addresses = nodes.map(({ host, port }) => `${host}:${port}`);
  const hash = createHash('sha256')
    .update([name, profile, ...addresses].join('\n'))
    .digest();
  return `${hash[0]! % 60} ${hash[1]! % 6} * * ${hash[2]! % 7}`;
}

function cron(deployment: Deployment, folder: string): string {
  // In a crontab a percent sign is a line break.
  const command = `redkeep rotate all --due --yes --quiet --dir ${quoteShell(folder)}`.replaceAll('%', '\\%');
  return `# Written by redkeep init. For the crontab of the folder's owner.\n${moment(deployment)} ${command}\n`;
}

/**
 * Not part of the kustomization: it needs an image with redkeep in it, and the deployment's folder on a volume of its
 * own, because who rotates holds every secret.
 */
function cronJob(deployment: Deployment): RenderedFile {
  const job: ICronJob = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: `${prefixOf(deployment)}-rotate` },
    spec: {
      schedule: moment(deployment),
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 86_400,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        spec: {
          // A run that was cut off goes on where it was.
          backoffLimit: 3,
          template: {
            spec: {
              restartPolicy: 'Never',
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: {
                runAsNonRoot: true,
                runAsUser: 1000,
                fsGroup: 1000,
                seccompProfile: { type: 'RuntimeDefault' },
              },
              containers: [
                {
                  name: 'rotate',
                  image: `redkeep@sha256:${'0'.repeat(64)}`,
                  command: ['redkeep', 'rotate', 'all', '--due', '--yes', '--dir', '/deployment'],
                  securityContext: {
                    allowPrivilegeEscalation: false,
                    readOnlyRootFilesystem: true,
                    capabilities: { drop: ['ALL'] },
                  },
                  resources: { limits: { memory: '256Mi', cpu: '1' }, requests: { memory: '128Mi', cpu: '50m' } },
                  volumeMounts: [{ name: 'deployment', mountPath: '/deployment' }],
                },
              ],
              volumes: [{ name: 'deployment', persistentVolumeClaim: { claimName: `${prefixOf(deployment)}-folder` } }],
            },
          },
        },
      },
    },
  };
  const head = '# Written by redkeep init. Name the image by its digest and keep the folder on the volume.\n';
  return { path: 'rotation/rotate-cronjob.yaml', mode: 0o644, content: head + stringify(job, { lineWidth: 0 }) };
}
