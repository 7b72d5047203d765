/** What every service of a Compose project has: it starts again, and has no rights beyond its own. */
export const confined = {
  restart: 'unless-stopped',
  read_only: true,
  cap_drop: ['ALL'],
  security_opt: ['no-new-privileges:true'],
  tmpfs: ['/tmp:size=16m,mode=1777,noexec,nosuid,nodev'],
  init: true,
} as const;
