import type { RenderedFile } from './rendered-file.js';

/** Keeps secrets, keys and live files of the servers out of git. */
export function renderGitignore(): RenderedFile {
  const lines = [
    '# Passwords and private keys.',
    '/secrets/',
    '/authority/',
    '*.key',
    '# Live files of the servers: replication password, users, data, logs.',
    '/nodes/',
    '/run/',
    '# What a forced init replaced.',
    '/backups/',
    '/backup/state/',
    '',
  ];
  return { path: '.gitignore', mode: 0o644, content: lines.join('\n') };
}
