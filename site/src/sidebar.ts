/** Every page of the site, in the order in which a reader may want them. */
export interface SidebarGroup {
  readonly text: string;
  readonly items: readonly { readonly text: string; readonly link: string; readonly target?: string }[];
}

const page = (text: string, name: string) => ({ text, link: `/${name}` });

export const sidebar: readonly SidebarGroup[] = [
  {
    text: 'Begin',
    items: [
      page('Redkeep', 'index'),
      page('Get started', 'get-started'),
      page('Redis in one page', 'redis-in-one-page'),
      page('Express, Fastify, Nest, Next, BullMQ', 'frameworks'),
      page('An application in production', 'production'),
      page('Three tasks, counted', 'tasks'),
      page('Windows, WSL and macOS', 'platforms'),
    ],
  },
  {
    text: 'Move to Redkeep',
    items: [
      page('From node-redis', 'migrating-from-node-redis'),
      page('From ioredis', 'migrating-from-ioredis'),
      page('Secure an open server', 'migrate'),
      page('Comparison', 'compare'),
    ],
  },
  {
    text: 'The client',
    items: [
      page('The client', 'client'),
      page('Connecting securely', 'connecting-securely'),
      page('Hosted and managed servers', 'hosted'),
      page('What is guaranteed', 'guarantees'),
      page('Observability', 'observability'),
      page('Testing with Redkeep', 'testing'),
    ],
  },
  {
    text: 'Guard: for applications',
    items: [
      page('Overview and key spaces', 'guard'),
      page('Sessions', 'guard-sessions'),
      page('Login, tokens, keys', 'guard-login'),
      page('Rate limits', 'guard-rate-limits'),
      page('Encrypt and erase', 'guard-encryption'),
      page('Audit trail', 'guard-audit-trail'),
      page('Locks and cache', 'guard-locks-and-cache'),
      page('Idempotency, web adapters', 'guard-web'),
    ],
  },
  {
    text: 'Operate',
    items: [
      page('Deployments', 'deployments'),
      page('Rotate', 'rotation'),
      page('Monitor', 'monitoring'),
      page('Back up and restore', 'backup'),
      page('All hosts are lost', 'all-hosts-lost'),
      page('Incident', 'incident'),
      page('Doctor', 'doctor'),
      page('Harden by hand', 'hardening'),
    ],
  },
  {
    text: 'Prove',
    items: [
      page('Audit', 'audit'),
      page('For auditors', 'auditors'),
      page('The checks', 'checks'),
      page('Security: threats and tests', 'security'),
    ],
  },
  {
    text: 'Reference',
    items: [
      page('Options', 'reference/options'),
      page('Commands', 'reference/commands'),
      page('Command line', 'reference/cli'),
      page('API: every export', 'reference/api'),
      { text: 'API in full (TypeDoc)', link: '/api/index.html', target: '_self' },
      page('Errors of the client', 'errors'),
      page('Errors of guard', 'guard-errors'),
      page('Errors of the command line', 'cli-errors'),
      page('Troubleshooting', 'troubleshooting'),
      page('FAQ', 'faq'),
      page('Glossary', 'glossary'),
    ],
  },
];
