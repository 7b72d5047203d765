/** How strict a deployment is. */
export const profileNames = ['development', 'staging', 'production', 'regulated'] as const;
export type ProfileName = (typeof profileNames)[number];

/** How servers work together. */
export const topologyNames = ['single', 'sentinel', 'cluster'] as const;
export type TopologyName = (typeof topologyNames)[number];

/** What runs the servers. */
export const targetNames = ['local', 'compose', 'systemd', 'kubernetes'] as const;
export type TargetName = (typeof targetNames)[number];

/** What a user of a deployment is for; `deployment/roles.ts` says what each may do. */
export const roleNames = [
  'admin',
  'application',
  'read-only',
  'session-store',
  'monitoring',
  'backup',
  'replication',
  'sentinel',
  'auditor',
] as const;
export type RoleName = (typeof roleNames)[number];

/** The roles that an application connects with; the others belong to operators and to the servers themselves. */
export const applicationRoles = ['application', 'read-only', 'session-store'] as const satisfies readonly RoleName[];
