import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hardenedConfig, hardenedUsers } from './hardened.js';
import { auditFiles } from './project-folder.js';

const digest = `sha256:${'a'.repeat(64)}`;
const tls = {
  port: '0',
  'tls-port': '6379',
  'tls-cert-file': '/tls/redis.crt',
  'tls-key-file': '/tls/redis.key',
  'tls-ca-cert-file': '/tls/ca.crt',
};
const configOf = (more: Readonly<Record<string, string>> = {}): string =>
  Object.entries({
    ...hardenedConfig,
    ...tls,
    aclfile: '/etc/redis/users.acl',
    'hide-user-data-from-log': 'yes',
    ...more,
  })
    .map(([name, value]) => `${name} ${value}`)
    .join('\n');
const users = hardenedUsers.join('\n');
const indented = (text: string, by: number): string =>
  text
    .split('\n')
    .map((line) => ' '.repeat(by) + line)
    .join('\n');

const hardenedService = `
    image: redis@${digest}
    read_only: true
    user: "999:999"
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    mem_limit: 512m
    cpus: 1
    pids_limit: 64
    command: [redis-server, /etc/redis/redis.conf]
`;

const deployment = `
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: cache, namespace: shop }
spec:
  template:
    metadata: { labels: { app: cache } }
    spec:
      automountServiceAccountToken: false
      securityContext: { runAsNonRoot: true, runAsUser: 999, seccompProfile: { type: RuntimeDefault } }
      volumes:
        - { name: conf, configMap: { name: cache } }
      containers:
        - name: redis
          image: redis@${digest}
          args: [/etc/redis/redis.conf]
          ports: [{ name: redis, containerPort: 6379 }]
          volumeMounts: [{ name: conf, mountPath: /etc/redis }]
          securityContext:
            readOnlyRootFilesystem: true
            allowPrivilegeEscalation: false
            capabilities: { drop: [ALL] }
          resources: { limits: { memory: 512Mi, cpu: "1" } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: cache, namespace: shop }
data:
  redis.conf: |
${indented(configOf(), 4)}
  users.acl: |
${indented(users, 4)}
---
apiVersion: v1
kind: Service
metadata: { name: cache, namespace: shop }
spec: { selector: { app: cache }, ports: [{ port: 6379, targetPort: redis }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: cache, namespace: shop }
spec:
  podSelector: { matchLabels: { app: cache } }
  policyTypes: [Ingress]
  ingress:
    - from: [{ podSelector: { matchLabels: { app: web } } }]
      ports: [{ port: redis }]
`;

const reference = (name: string): string => `\${${name}}`;

/** Projects that are set up well, or have nothing to do with a server: no finding of them is true. */
const innocent: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a hardened Compose file': {
    'compose.yaml': `services:\n  cache:${hardenedService}    ports: ["127.0.0.1:6379:6379"]\n    volumes: ["./redis:/etc/redis:ro", "data:/data"]\n    healthcheck: { test: [CMD, redis-cli, --tls, ping] }\nvolumes: { data: {} }\n`,
    'redis/redis.conf': configOf(),
    'redis/users.acl': users,
  },
  'an override that closes a port and a secret from a file': {
    'compose.yaml': `services:\n  cache:${hardenedService}    ports: ["6379:6379"]\n    volumes: ["./redis:/etc/redis:ro"]\n    secrets: [cache_password]\n    environment: { REDIS_PASSWORD_FILE: /run/secrets/cache_password }\nsecrets: { cache_password: { file: ./cache_password.txt } }\n`,
    'compose.override.yaml': 'services:\n  cache:\n    ports: !override ["127.0.0.1:6379:6379"]\n',
    'redis/redis.conf': configOf(),
    'redis/users.acl': users,
  },
  'hardened manifests': { 'k8s/cache.yaml': deployment },
  'a web shop without a server of ours': {
    'compose.yaml': `services:\n  web:\n    build: .\n    ports: ["443:443"]\n    environment: { DATABASE_URL: "postgres://app:${reference('DB_PASSWORD')}@db/app" }\n  db:\n    image: postgres:16\n    environment: { POSTGRES_PASSWORD: ${reference('DB_PASSWORD')} }\n  broker:\n    image: rabbitmq:3\n    ports: ["5672:5672"]\n`,
    Dockerfile:
      'FROM node:22\nENV NODE_ENV=production API_KEY_HEADER=x-api-key\nUSER root\nRUN apt-get update\nCMD ["node", "server.js"]\n',
    'nginx.conf': 'user nginx;\nevents {}\nhttp {\n  include mime.types;\n  server { listen 443; }\n}\n',
    'php-fpm.conf': '[www]\nuser = www-data\nlisten = 9000\n',
  },
  'a client of a managed server': {
    '.env.example': 'REDIS_URL=rediss://app:<password>@cache.example.com:6380\n',
    '.gitignore': '.env\n',
    '.env': 'REDIS_URL=rediss://app:kJ8s7dfhKJHsd76fkjhsdf8761hjgfA@cache.example.com:6380\nREDIS_TLS_VERIFY=true\n',
    'k8s/app.yaml':
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec:\n  template:\n    spec:\n      containers:\n        - name: web\n          image: web\n          env:\n            - name: REDIS_URL\n              valueFrom: { secretKeyRef: { name: redis, key: url } }\n---\nkind: Service\napiVersion: v1\nmetadata: { name: web }\nspec: { type: LoadBalancer, selector: { app: web }, ports: [{ port: 443 }] }\n',
  },
  'a hardened unit with its configuration': {
    'systemd/redis.service':
      '[Unit]\nDescription=Redis\n[Service]\nExecStart=/usr/bin/redis-server /etc/redis/redis.conf --supervised systemd\nUser=redis\n',
    'systemd/redis.service.d/hardening.conf':
      '[Service]\nNoNewPrivileges=yes\nProtectSystem=strict\nProtectHome=yes\nPrivateTmp=yes\nPrivateDevices=yes\nReadWritePaths=/var/lib/redis\nUMask=0077\nLoadCredential=password:/etc/redis/password\n',
    'systemd/web.service': '[Service]\nExecStart=/usr/bin/node server.js\nEnvironment=NODE_ENV=production\n',
    'etc/redis.conf': configOf({ bind: '127.0.0.1 -::1' }),
    'etc/users.acl': users,
  },
  'a Helm chart with safe values': {
    'Chart.yaml':
      'apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n  - { name: redis, version: 20.0.0, repository: "oci://registry.example.com/charts" }\n',
    'values.yaml':
      'replicas: 2\nredis:\n  architecture: standalone\n  auth: { enabled: true, existingSecret: redis, existingSecretPasswordKey: password }\n  tls: { enabled: true, existingSecret: redis-tls }\n  networkPolicy: { enabled: true, allowExternal: false }\n  master: { service: { type: ClusterIP } }\n  commonConfiguration: |-\n    maxmemory 256mb\n    maxmemory-policy allkeys-lru\n',
    'templates/web.yaml':
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: {{ .Release.Name }} }\nspec:\n  {{- if .Values.x }}\n  replicas: {{ .Values.replicas }}\n  {{- end }}\n',
  },
  'a job that only uses the client': {
    'compose.yaml':
      'services:\n  once:\n    image: redis:7\n    command: redis-cli -h cache.example.com --tls --cacert /ca.crt ping\n',
    'k8s/job.yaml':
      'apiVersion: batch/v1\nkind: Job\nmetadata: { name: j }\nspec: { template: { spec: { containers: [{ name: j, image: redis:7, command: [sh, -c, "redis-cli --tls -h cache ping"] }] } } }\n',
  },
  'a build with a server for its tests': {
    '.github/workflows/test.yml':
      'on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    services:\n      redis: { image: redis, ports: ["6379:6379"] }\n    env: { REDIS_URL: "redis://localhost:6379", REDIS_PASSWORD: test }\n    steps: []\n',
  },
  'a Dragonfly with TLS and a password from a Secret': {
    'dragonfly.yaml':
      'apiVersion: dragonflydb.io/v1alpha1\nkind: Dragonfly\nmetadata: { name: df }\nspec:\n  replicas: 2\n  authentication: { passwordFromSecret: { name: df, key: password } }\n  tlsSecretRef: { name: df-tls }\n  serviceSpec: { type: ClusterIP }\n',
  },
};

describe(`${Object.keys(innocent).length} innocent projects`, () => {
  for (const [name, files] of Object.entries(innocent))
    test(`no false finding in ${name}`, async () => {
      const { findings } = await auditFiles(files);
      const serious = findings.filter(({ severity }) => severity !== 'low' && severity !== 'info');
      assert.deepEqual(
        serious.map(
          ({ id, occurrences }) =>
            `${id}: ${occurrences.map(({ subject, evidence }) => `${subject} ${evidence}`).join('; ')}`,
        ),
        [],
      );
    });
});
