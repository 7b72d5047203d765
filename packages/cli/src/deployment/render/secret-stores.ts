import { type Deployment, isApplication } from '../model.js';
import type { RenderedFile } from './rendered-file.js';

/**
 * How the passwords get from `secrets/` into a store, and from there to the applications. The profile is part of every
 * name, so that environments keep credentials of their own. No password is in a command line.
 */
export function renderSecretStores(deployment: Deployment): RenderedFile[] {
  const script = (name: string, store: string, command: string): RenderedFile => ({
    path: `secret-stores/${name}`,
    mode: 0o755,
    content: `#!/bin/sh
# Written by redkeep init. Puts the passwords of secrets/ into ${store}; run it again after a rotation.
set -eu
cd "$(dirname "$0")/.."
for user in ${deployment.users.map((user) => user.name).join(' ')}; do
${command.replace(/^/gm, '  ')}
done
`,
  });
  const base = storeName(deployment);
  return [
    script('vault.sh', 'HashiCorp Vault', vault(base)),
    script('aws.sh', 'AWS Secrets Manager', aws(base)),
    script('docker.sh', 'the secrets of a Docker swarm', docker(base.replaceAll('/', '-'))),
    { path: 'secret-stores/README.md', mode: 0o644, content: readme(deployment) },
  ];
}

/** One name space an environment: what reads production cannot read staging. */
function storeName({ profile }: Deployment): string {
  return `redkeep/${profile}`;
}

const vault = (base: string) =>
  `vault kv put -mount=secret "${base}/$user" username="$user" password=- < "secrets/$user.password"`;

const aws = (
  base: string,
) => `document() { printf '{"username":"%s","password":"%s"}' "$user" "$(cat "secrets/$user.password")"; }
document | aws secretsmanager create-secret --name "${base}/$user" --secret-string file:///dev/stdin ||
  document | aws secretsmanager put-secret-value --secret-id "${base}/$user" --secret-string file:///dev/stdin`;

// A Docker secret cannot be changed: each run makes new ones, which a service is then given.
const docker = (base: string) => `docker secret create "${base}-$user-$(date +%Y%m%d%H%M%S)" "secrets/$user.password"`;

function readme(deployment: Deployment): string {
  const base = storeName(deployment);
  const name = deployment.users.find(isApplication)?.name ?? 'app';
  return `# Secret stores

\`secrets/\` holds one file a user. The scripts here copy them into a store; nothing is printed and no password is in a
command line. Each environment has names of its own (\`${base}/…\`): give an application read access to its own name in its
own environment only.

| store | fill it | Redkeep reads it with |
|---|---|---|
| files, Docker and Kubernetes secrets | as they are | \`fromFile({ username: '${name}', password: '/run/secrets/${name}' })\` |
| a Docker swarm | \`sh docker.sh\` | the same |
| HashiCorp Vault, KV version 2 | \`sh vault.sh\` | \`fromVault({ path: 'secret/data/${base}/${name}', auth })\` |
| AWS Secrets Manager | \`sh aws.sh\` | \`fromAwsSecretsManager({ client, secretId: '${base}/${name}' })\` |

Vault, the policy of \`${name}\`:

\`\`\`hcl
path "secret/data/${base}/${name}" {
  capabilities = ["read"]
}
\`\`\`

AWS, the policy of \`${name}\`:

\`\`\`json
${JSON.stringify(awsPolicy(`${base}/${name}`), null, 2)}
\`\`\`
`;
}

function awsPolicy(secret: string): unknown {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 'secretsmanager:GetSecretValue',
        // Secrets Manager adds six characters of its own to each name.
        Resource: `arn:aws:secretsmanager:*:*:secret:${secret}-??????`,
      },
    ],
  };
}
