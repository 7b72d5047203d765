import { stringify } from 'yaml';
import { certificateOf, type Deployment, userOf } from '../model.js';
import { oneLine } from '../quote.js';
import { confined } from './compose-service.js';
import type { RenderedFile } from './rendered-file.js';
import { quoteUnit } from './systemd.js';

/** The continuous archive and the weekly proof as services. They do nothing until `backup/backup.json` names a store. */
export function renderArchiveService(deployment: Deployment, folder: string): RenderedFile[] {
  // Dragonfly has no replication stream that others can read.
  if (deployment.engine.name === 'dragonfly') return [];
  return [
    { path: 'backup/redkeep-archive.service', mode: 0o644, content: archiveUnit(deployment, folder) },
    { path: 'backup/redkeep-prove.service', mode: 0o644, content: proveUnit(deployment, folder) },
    { path: 'backup/redkeep-prove.timer', mode: 0o644, content: proveTimer },
    ...(deployment.target === 'compose' ? [composeFile(deployment)] : []),
    ...(deployment.target === 'kubernetes' ? [kubernetesFile(deployment)] : []),
  ];
}

/** What the archive reads of this folder: its user, the CA it trusts, and no other user's secret. */
export function archiveFiles(deployment: Deployment): string[] {
  const users = [userOf(deployment, 'backup')!, userOf(deployment, 'monitoring')!];
  const own = users.flatMap((user) => {
    const certificate = certificateOf(deployment, user.certificate);
    return [user.passwordFile, certificate.certFile, certificate.keyFile];
  });
  return ['redkeep.deployment.json', deployment.caFile, ...own];
}

function titleOf({ name }: Deployment): string {
  return oneLine(name).replaceAll('%', '%%').replaceAll('\\', '');
}

const sandbox = `UMask=0077
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
LimitCORE=0
`;

function archiveUnit(deployment: Deployment, folder: string): string {
  return `# Written by redkeep init. docs/backup.md, "As a service", says how to install it. Set User= to the folder's owner.
# Run it on a host other than the servers: what is sealed there outlives them.
[Unit]
Description=${titleOf(deployment)}: continuous encrypted archive
After=network-online.target
Wants=network-online.target

[Service]
Type=simple
ExecStart=/usr/bin/env redkeep backup archive --dir ${quoteUnit(folder)}
Restart=always
RestartSec=2
# Long enough to seal what has arrived and to hand it to the store.
TimeoutStopSec=30
MemoryMax=512M
${sandbox}
[Install]
WantedBy=multi-user.target
`;
}

function proveUnit(deployment: Deployment, folder: string): string {
  return `# Written by redkeep init. Runs where the identity is, which is not the host that writes the backup.
[Unit]
Description=${titleOf(deployment)}: restore the newest backup into a scratch server

[Service]
Type=oneshot
LoadCredential=identity:/etc/redkeep-backup/identity.txt
ExecStart=/usr/bin/env redkeep backup prove --dir ${quoteUnit(folder)} --identity \${CREDENTIALS_DIRECTORY}/identity
${sandbox}`;
}

const proveTimer = `# Written by redkeep init.
[Unit]
Description=Prove the newest backup, weekly

[Timer]
OnCalendar=weekly
RandomizedDelaySec=6h
Persistent=true

[Install]
WantedBy=timers.target
`;

const command = [
  'redkeep',
  'backup',
  'archive',
  '--dir',
  '/etc/redkeep',
  '--config',
  '/etc/redkeep/backup/backup.json',
];
const state = '/var/lib/redkeep-archive';

function composeFile(deployment: Deployment): RenderedFile {
  const compose = {
    services: {
      archive: {
        image: '${REDKEEP_TOOLKIT_IMAGE:?an image with node and @redkeep/cli, named by digest}',
        entrypoint: [...command, '--state', state],
        command: [],
        user: '${REDKEEP_UID:?set to the owner, id -u}:${REDKEEP_GID:?set to the group, id -g}',
        // The lock of the state folder is of this name: it must not change with the container.
        hostname: 'archive',
        ...confined,
        stop_grace_period: '30s',
        volumes: [
          ...[...archiveFiles(deployment), 'backup/backup.json'].map((file) => ({
            ...{ type: 'bind', source: `./${file}`, target: `/etc/redkeep/${file}`, read_only: true },
          })),
          { type: 'volume', source: 'archive', target: state },
        ],
        networks: ['redkeep'],
        mem_limit: '512m',
        pids_limit: 64,
        logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '5' } },
      },
    },
    volumes: { archive: {} },
  };
  const head =
    '# Written by redkeep init: docker compose -f compose.yaml -f backup/compose.archive.yaml up -d archive\n';
  return { path: 'backup/compose.archive.yaml', mode: 0o644, content: head + stringify(compose, { lineWidth: 0 }) };
}

function kubernetesFile(deployment: Deployment): RenderedFile {
  const labels = { 'app.kubernetes.io/part-of': 'redkeep', 'app.kubernetes.io/name': 'archive' };
  const files = archiveFiles(deployment);
  const key = (file: string) => file.replaceAll('/', '__');
  const document = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'archive', labels },
    spec: {
      serviceName: 'archive',
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 30,
          securityContext: {
            ...{ runAsNonRoot: true, runAsUser: 999, runAsGroup: 999, fsGroup: 999 },
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'archive',
              image: 'redkeep-toolkit',
              command: [...command, '--state', state],
              securityContext: {
                ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
                capabilities: { drop: ['ALL'] },
              },
              resources: { limits: { memory: '512Mi', cpu: '1' }, requests: { memory: '128Mi', cpu: '50m' } },
              volumeMounts: [
                { name: 'files', mountPath: '/etc/redkeep', readOnly: true },
                { name: 'state', mountPath: state },
                { name: 'tmp', mountPath: '/tmp' },
              ],
            },
          ],
          volumes: [
            { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
            {
              name: 'files',
              secret: {
                secretName: 'redkeep-archive',
                defaultMode: 0o440,
                items: [...files, 'backup/backup.json'].map((file) => ({ key: key(file), path: file })),
              },
            },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'state' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
        },
      ],
    },
  };
  const head = [
    '# Written by redkeep init. Name an image with node and @redkeep/cli by digest instead of redkeep-toolkit, then:',
    '# kubectl create secret generic redkeep-archive \\',
    ...[...files, 'backup/backup.json'].map(
      (file, index, all) => `#   --from-file=${key(file)}=${file}${index === all.length - 1 ? '' : ' \\'}`,
    ),
    '# kubectl apply -f backup/archive.yaml',
    '',
  ].join('\n');
  return { path: 'backup/archive.yaml', mode: 0o644, content: head + stringify(document, { lineWidth: 0 }) };
}
