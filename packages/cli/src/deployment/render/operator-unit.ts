import type { Deployment } from '../model.js';
import { oneLine } from '../quote.js';
import type { RenderedFile } from './rendered-file.js';

export interface OperatorUnit {
  /** Path without its ending. */
  readonly path: string;
  /** What it does, after the deployment's name. */
  readonly purpose: string;
  readonly commands: readonly string[];
  /** Runs until it is stopped, and again when it failed; else once. */
  readonly stays?: boolean;
}

/** A systemd service that runs redkeep on the folder, for the machine where an operator keeps it. */
export function operatorService({ name }: Deployment, { path, purpose, commands, stays }: OperatorUnit): RenderedFile {
  const lines = commands.map((command) => `ExecStart=/usr/bin/env ${command}`).join('\n');
  const type = stays ? 'Type=exec\nRestart=on-failure\nRestartSec=5' : 'Type=oneshot';
  const content = `# Written by redkeep init. Set User= to the owner of the folder, then install it in /etc/systemd/system.
[Unit]
Description=${oneLine(name).replaceAll('%', '%%').replaceAll('\\', '')}: ${purpose}

[Service]
${type}
${lines}
UMask=0077
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
${stays ? '\n[Install]\nWantedBy=multi-user.target\n' : ''}`;
  return { path: `${path}.service`, mode: 0o644, content };
}

/** Its timer. A fleet does not start at one moment, and a machine that was off catches up. */
export function operatorTimer(path: string, purpose: string, calendar: string, delay: string): RenderedFile {
  const content = `# Written by redkeep init. A fleet does not start at one moment, and a machine that was off catches up.
[Unit]
Description=${purpose}

[Timer]
OnCalendar=${calendar}
RandomizedDelaySec=${delay}
Persistent=true

[Install]
WantedBy=timers.target
`;
  return { path: `${path}.timer`, mode: 0o644, content };
}
