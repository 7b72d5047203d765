import type { CheckId } from '../checks/check.js';

/** Files of a project with one fault, and the finding that must be there: the check, and the file and line it points to. */
export interface FileFault {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly expected: CheckId;
  /** `file:line`. */
  readonly at: string;
}

/** Text with its first line's indentation taken off every line. */
function text(parts: TemplateStringsArray, ...values: readonly string[]): string {
  const whole = String.raw({ raw: parts }, ...values).replace(/^\n/, '');
  const indent = /^ */.exec(whole)![0];
  return whole
    .split('\n')
    .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line.trimStart()))
    .join('\n');
}

const fault = (name: string, expected: CheckId, at: string, files: FileFault['files']): FileFault => ({
  name,
  files,
  expected,
  at,
});

/** A Compose file with one service and the lines given. */
const service = (...lines: string[]): string =>
  ['services:', '  cache:', '    image: redis:7', ...lines.map((line) => `    ${line}`), ''].join('\n');

const variable = (name: string, rest = ''): string => `\${${name}${rest}}`;

const compose: readonly FileFault[] = [
  fault('no command: the image has no password', 'AUTH-002', 'compose.yaml:2', { 'compose.yaml': service() }),
  fault('a list command without a password', 'AUTH-002', 'compose.yaml:2', {
    'compose.yaml': service('command: ["redis-server", "--appendonly", "yes"]'),
  }),
  fault('a weak password by a default', 'AUTH-005', 'compose.yaml:4', {
    'compose.yaml': service(`command: redis-server --requirepass ${variable('PW', ':-redis123')}`),
  }),
  fault('a weak password from .env', 'AUTH-005', 'compose.yaml:4', {
    'compose.yaml': service(`command: redis-server --requirepass ${variable('PW')}`),
    '.env': 'PW=changeme\n',
  }),
  fault('a weak password from env_file through a shell', 'AUTH-005', 'compose.yaml:5', {
    'compose.yaml': service('env_file: cache.env', 'command: sh -c \'exec redis-server --requirepass "$$CACHE_PW"\''),
    'cache.env': 'CACHE_PW=letmein\n',
  }),
  fault('a password in clear in the command', 'HOST-011', 'compose.yaml:4', {
    'compose.yaml': service('command: redis-server --requirepass kJ8s7dfhKJHsd76fkjhsdf8761hjgfA'),
  }),
  fault('published by a short port', 'CTR-007', 'compose.yaml:5', {
    'compose.yaml': service('ports:', '  - 6379:6379'),
  }),
  fault('published on a random port', 'CTR-007', 'compose.yaml:4', { 'compose.yaml': service('ports: ["6379"]') }),
  fault('published by the long form', 'CTR-007', 'compose.yaml:5', {
    'compose.yaml': service('ports:', '  - target: 6379', '    published: "16379"'),
  }),
  fault('published as a range', 'CTR-007', 'compose.yaml:4', {
    'compose.yaml': service('ports: ["7000-7005:7000-7005"]'),
  }),
  fault('published on every IPv6 address', 'CTR-007', 'compose.yaml:4', {
    'compose.yaml': service('ports: ["[::]:6379:6379"]'),
  }),
  fault('published by the override only', 'CTR-007', 'compose.override.yaml:3', {
    'compose.yaml': service('ports: ["127.0.0.1:6379:6379"]'),
    'compose.override.yaml': 'services:\n  cache:\n    ports: ["0.0.0.0:6380:6379"]\n',
  }),
  fault('privileged by an anchor', 'CTR-001', 'compose.yaml:2', {
    'compose.yaml': 'x-all: &all\n  privileged: true\nservices:\n  cache:\n    <<: *all\n    image: redis:7\n',
  }),
  fault('privileged by a base in another file', 'CTR-001', 'base/common.yaml:4', {
    'compose.yaml': 'services:\n  cache:\n    extends: { file: base/common.yaml, service: base }\n    image: redis:7\n',
    'base/common.yaml': 'services:\n  base:\n    image: busybox\n    privileged: true\n',
  }),
  fault('the host network', 'CTR-006', 'compose.yaml:4', { 'compose.yaml': service('network_mode: host') }),
  fault('a host bind on the host network', 'NET-002', 'compose.yaml:2', {
    'compose.yaml': service('network_mode: host', 'command: redis-server --requirepass x'),
  }),
  fault('the Docker socket', 'CTR-008', 'compose.yaml:5', {
    'compose.yaml': service('volumes:', '  - /var/run/docker.sock:/var/run/docker.sock'),
  }),
  fault('a capability', 'CTR-002', 'compose.yaml:4', { 'compose.yaml': service('cap_add: [SYS_ADMIN]') }),
  fault('AppArmor off', 'CTR-009', 'compose.yaml:4', {
    'compose.yaml': service('security_opt: ["apparmor:unconfined"]'),
  }),
  fault('root', 'CTR-011', 'compose.yaml:4', { 'compose.yaml': service('user: "0"') }),
  fault('a shell that keeps root', 'CTR-011', 'compose.yaml:4', {
    'compose.yaml': service('command: sh -c "redis-server --requirepass $$PW"'),
  }),
  fault('an empty password allowed', 'AUTH-002', 'compose.yaml:2', {
    'compose.yaml':
      'services:\n  cache:\n    image: bitnami/redis:7.2\n    environment:\n      - ALLOW_EMPTY_PASSWORD=yes\n',
  }),
  fault('a password in the environment', 'HOST-010', 'compose.yaml:5', {
    'compose.yaml':
      'services:\n  cache:\n    image: bitnami/valkey:8\n    environment:\n      - VALKEY_PASSWORD=hunter2\n',
  }),
  fault('REDIS_ARGS of Redis Stack without a password', 'AUTH-002', 'compose.yaml:2', {
    'compose.yaml':
      'services:\n  stack:\n    image: redis/redis-stack-server:7.4.0\n    environment: { REDIS_ARGS: "--save 60 1" }\n',
  }),
  fault('Dragonfly without a password', 'AUTH-002', 'compose.yaml:2', {
    'compose.yaml':
      'services:\n  fly:\n    image: docker.dragonflydb.io/dragonflydb/dragonfly\n    command: dragonfly --bind 0.0.0.0\n',
  }),
  fault('a mounted configuration that is open', 'AUTH-002', 'compose.yaml:2', {
    'compose.yaml': service('volumes: ["./conf:/etc/redis:ro"]', 'command: redis-server /etc/redis/redis.conf'),
    'conf/redis.conf': 'maxmemory 100mb\n',
  }),
  fault('modules enabled in a mounted configuration', 'CFG-002', 'conf/redis.conf:2', {
    'compose.yaml': service(
      'volumes: ["./conf/redis.conf:/usr/local/etc/redis/redis.conf"]',
      'command: ["redis-server", "/usr/local/etc/redis/redis.conf"]',
    ),
    'conf/redis.conf': 'maxmemory 100mb\nenable-module-command yes\n',
  }),
  fault('modules enabled in an inline config', 'CFG-002', 'compose.yaml:9', {
    'compose.yaml': text`
      services:
        cache:
          image: valkey/valkey:8
          command: /etc/valkey.conf
          configs: [{ source: conf, target: /etc/valkey.conf }]
      configs:
        conf:
          content: |
            enable-module-command yes
    `,
  }),
  fault('an included project', 'CTR-007', 'cache/compose.yaml:4', {
    'compose.yaml': 'include: [cache/compose.yaml]\nservices: { app: { image: app } }\n',
    'cache/compose.yaml': service('ports: ["6379:6379"]'),
  }),
  fault('a service of a profile', 'CTR-001', 'compose.yaml:5', {
    'compose.yaml': service('profiles: [debug]', 'privileged: true'),
  }),
  fault('a web interface', 'NET-014', 'compose.yaml:4', {
    'compose.yaml': 'services:\n  ui:\n    image: redis/redisinsight\n    ports: ["5540:5540"]\n',
  }),
  fault('a health check with a password', 'CTR-010', 'compose.yaml:4', {
    'compose.yaml': service('healthcheck: { test: "redis-cli -a secret ping" }'),
  }),
  fault('an application without TLS', 'CLI-001', 'compose.yaml:5', {
    'compose.yaml':
      'services:\n  app:\n    image: app\n    environment:\n      CACHE: redis://cache.example.com:6379\n',
  }),
  fault('a network lent by a published service', 'CTR-007', 'compose.yaml:4', {
    'compose.yaml':
      'services:\n  vpn:\n    image: vpn\n    ports: ["6379:6379"]\n  cache:\n    image: redis:7\n    network_mode: service:vpn\n',
  }),
  fault('an image built from a Dockerfile', 'AUTH-002', 'compose.yaml:2', {
    'compose.yaml': 'services:\n  cache:\n    build: ./cache\n',
    'cache/Dockerfile': 'FROM redis:7\nCMD ["redis-server", "--appendonly", "yes"]\n',
  }),
  fault('a script that starts the server', 'CFG-002', 'start.sh:3', {
    'compose.yaml': service('volumes: ["./start.sh:/start.sh"]', 'command: /start.sh'),
    'start.sh': '#!/bin/sh\nset -e\nexec redis-server --enable-module-command yes\n',
  }),
  fault('a Sentinel without a password', 'AUTH-002', 'compose.yaml:2', {
    'compose.yaml':
      'services:\n  watch:\n    image: redis:7\n    command: redis-sentinel /etc/sentinel.conf\n    volumes: ["./sentinel.conf:/etc/sentinel.conf"]\n',
    'sentinel.conf': 'sentinel monitor m 10.0.0.1 6379 2\n',
  }),
  fault("a password in an exporter's command", 'HOST-011', 'compose.yaml:4', {
    'compose.yaml':
      'services:\n  exporter:\n    image: oliver006/redis_exporter\n    command: --redis.addr=rediss://cache:6379 --redis.password=hunter2\n',
  }),
  fault("a password in a client's command", 'HOST-011', 'compose.yaml:4', {
    'compose.yaml':
      'services:\n  backup:\n    image: alpine\n    command: sh -c "redis-cli -h cache -a hunter2 --rdb /dump.rdb"\n',
  }),
  fault("the primary's password in an inline sentinel.conf", 'HOST-011', 'compose.yaml:10', {
    'compose.yaml': text`
      services:
        watch:
          image: redis
          entrypoint: [redis-sentinel, /etc/s.conf]
          configs: [{ source: s, target: /etc/s.conf }]
      configs:
        s:
          content: |
            sentinel monitor m cache 6379 2
            sentinel auth-pass m hunter2
    `,
  }),
  fault("Dragonfly's admin port without a password", 'NET-011', 'compose.yaml:4', {
    'compose.yaml':
      'services:\n  fly:\n    image: dragonflydb/dragonfly\n    command: ["--requirepass=x", "--admin_port=6380", "--admin_nopass"]\n',
  }),
  fault("Dragonfly's Memcached port", 'NET-012', 'compose.yaml:4', {
    'compose.yaml':
      'services:\n  fly:\n    image: dragonflydb/dragonfly\n    command: ["--requirepass=x", "--memcached_port=11211"]\n',
  }),
  fault('options beside a configuration that is elsewhere', 'NET-003', 'compose.yaml:4', {
    'compose.yaml': service('command: redis-server /etc/redis.conf --protected-mode no'),
  }),
  fault('the first Compose format', 'CTR-001', 'docker-compose.yml:3', {
    'docker-compose.yml': 'cache:\n  image: redis:7\n  privileged: true\n',
  }),
  fault('an option and its value in one word', 'AUTH-005', 'compose.yaml:6', {
    'compose.yaml': service('command:', '  - redis-server', '  - "--requirepass secret"'),
  }),
];

const workload = (kind: string, container: string, pod = ''): string => text`
apiVersion: apps/v1
kind: ${kind}
metadata: { name: cache }
spec:
  template:
    metadata: { labels: { app: cache } }
    spec:
${pod}      containers:
        - name: redis
          image: redis:7
${container}
`;

const kubernetes: readonly FileFault[] = [
  fault('a Deployment without a password', 'AUTH-002', 'k8s/cache.yaml:9', {
    'k8s/cache.yaml': workload('Deployment', ''),
  }),
  fault('a DaemonSet with a weak password in args', 'AUTH-005', 'cache.yaml:11', {
    'cache.yaml': workload('DaemonSet', '          args: [--requirepass, password1]'),
  }),
  fault('a password in clear in args', 'HOST-011', 'cache.yaml:11', {
    'cache.yaml': workload('StatefulSet', '          args: [--requirepass, kJ8s7dfhKJHsd76fkjhsdf8761hjgfA]'),
  }),
  fault('a configuration in a ConfigMap', 'CFG-002', 'all.yaml:20', {
    'all.yaml': `${workload('StatefulSet', '          command: [redis-server, /conf/redis.conf]\n          volumeMounts: [{ name: c, mountPath: /conf }]', '      volumes: [{ name: c, configMap: { name: conf } }]\n')}---\nkind: ConfigMap\napiVersion: v1\nmetadata: { name: conf }\ndata:\n  redis.conf: |\n    enable-module-command yes\n`,
  }),
  fault('a ConfigMap in another file', 'AUTH-005', 'config.yaml:6', {
    'workload.yaml': workload(
      'StatefulSet',
      '          command: [redis-server, /conf/redis.conf]\n          volumeMounts: [{ name: c, mountPath: /conf }]',
      '      volumes: [{ name: c, configMap: { name: conf } }]\n',
    ),
    'config.yaml':
      'kind: ConfigMap\napiVersion: v1\nmetadata: { name: conf }\ndata:\n  redis.conf: |\n    requirepass foobared\n',
  }),
  fault('a ConfigMap alone', 'NET-003', 'config.yaml:6', {
    'config.yaml':
      'kind: ConfigMap\napiVersion: v1\nmetadata: { name: redis }\ndata:\n  redis.conf: |\n    protected-mode no\n    bind 0.0.0.0\n',
  }),
  fault('a password in a ConfigMap', 'HOST-011', 'config.yaml:7', {
    'config.yaml':
      'kind: ConfigMap\napiVersion: v1\nmetadata: { name: redis }\ndata:\n  redis.conf: |\n    port 0\n    requirepass kJ8s7dfhKJHsd76fkjhsdf8761hjgfA\n',
  }),
  fault('a Secret in the tree', 'HOST-011', 'secret.yaml:5', {
    'secret.yaml': 'kind: Secret\napiVersion: v1\nmetadata: { name: redis-auth }\ndata:\n  password: aHVudGVyMg==\n',
  }),
  fault('a LoadBalancer', 'NET-017', 'svc.yaml:4', {
    'svc.yaml':
      'kind: Service\napiVersion: v1\nmetadata: { name: redis }\nspec: { type: LoadBalancer, ports: [{ port: 6379 }] }\n',
  }),
  fault('a NodePort of a cache by its labels', 'NET-017', 'all.yaml:16', {
    'all.yaml': `${workload('Deployment', '')}---\nkind: Service\napiVersion: v1\nmetadata: { name: backend }\nspec: { type: NodePort, selector: { app: cache }, ports: [{ port: 1234, targetPort: 6379 }] }\n`,
  }),
  fault('an external IP', 'NET-017', 'svc.yaml:6', {
    'svc.yaml':
      'kind: Service\napiVersion: v1\nmetadata: { name: valkey }\nspec:\n  ports: [{ port: 6379 }]\n  externalIPs: [203.0.113.5]\n',
  }),
  fault('a List', 'NET-017', 'list.yaml:4', {
    'list.yaml':
      'apiVersion: v1\nkind: List\nitems:\n  - { kind: Service, apiVersion: v1, metadata: { name: redis }, spec: { type: NodePort, ports: [{ port: 6379 }] } }\n',
  }),
  fault("a TCP route of ingress-nginx's ConfigMap", 'NET-017', 'tcp.yaml:5', {
    'tcp.yaml':
      'kind: ConfigMap\napiVersion: v1\nmetadata: { name: tcp-services }\ndata:\n  "6379": "default/redis-master:6379"\n',
  }),
  fault('a TCPRoute', 'NET-017', 'route.yaml:2', {
    'route.yaml':
      'apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: TCPRoute\nmetadata: { name: r }\nspec: { rules: [{ backendRefs: [{ name: redis, port: 6379 }] }] }\n',
  }),
  fault('no NetworkPolicy', 'NET-018', 'cache.yaml:2', { 'cache.yaml': workload('Deployment', '') }),
  fault('a policy for other pods', 'NET-018', 'cache.yaml:2', {
    'cache.yaml': workload('Deployment', ''),
    'policy.yaml':
      'kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nmetadata: { name: p }\nspec: { podSelector: { matchLabels: { app: web } } }\n',
  }),
  fault('a policy for everything', 'NET-018', 'policy.yaml:7', {
    'cache.yaml': workload('Deployment', ''),
    'policy.yaml':
      'kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nmetadata: { name: p }\nspec:\n  podSelector: {}\n  ingress:\n    - {}\n',
  }),
  fault('a policy for 0.0.0.0/0', 'NET-018', 'policy.yaml:7', {
    'cache.yaml': workload('Deployment', ''),
    'policy.yaml':
      'kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nmetadata: { name: p }\nspec:\n  podSelector: {}\n  ingress:\n    - from: [{ ipBlock: { cidr: 0.0.0.0/0 } }]\n',
  }),
  fault('privileged', 'CTR-001', 'cache.yaml:11', {
    'cache.yaml': workload('StatefulSet', '          securityContext: { privileged: true }'),
  }),
  fault('root by the pod', 'CTR-011', 'cache.yaml:8', {
    'cache.yaml': workload('StatefulSet', '', '      securityContext: { runAsUser: 0 }\n'),
  }),
  fault('a command that replaces the entry point', 'CTR-011', 'cache.yaml:11', {
    'cache.yaml': workload('StatefulSet', '          command: [redis-server, --requirepass, $(PW)]'),
  }),
  fault('a port of the host', 'CTR-007', 'cache.yaml:11', {
    'cache.yaml': workload('DaemonSet', '          ports: [{ containerPort: 6379, hostPort: 6379 }]'),
  }),
  fault('the host network', 'CTR-006', 'cache.yaml:8', {
    'cache.yaml': workload('DaemonSet', '', '      hostNetwork: true\n'),
  }),
  fault('a host path', 'CTR-008', 'cache.yaml:8', {
    'cache.yaml': workload('DaemonSet', '', '      volumes: [{ name: h, hostPath: { path: /etc } }]\n'),
  }),
  fault('a password in env', 'HOST-010', 'cache.yaml:11', {
    'cache.yaml': workload('StatefulSet', '          env: [{ name: REDIS_PASSWORD, value: hunter2 }]'),
  }),
  fault('a probe with a password', 'CTR-010', 'cache.yaml:11', {
    'cache.yaml': workload(
      'StatefulSet',
      '          livenessProbe: { exec: { command: [sh, -c, "redis-cli -a hunter2 ping"] } }',
    ),
  }),
  fault('a CronJob that connects without TLS', 'CLI-001', 'job.yaml:13', {
    'job.yaml': text`
      apiVersion: batch/v1
      kind: CronJob
      metadata: { name: job }
      spec:
        jobTemplate:
          spec:
            template:
              spec:
                containers:
                  - name: job
                    image: job
                    env:
                      - { name: REDIS_URL, value: "redis://redis.prod.svc.cluster.local:6379" }
    `,
  }),
  fault('a weak password in the Secret that env takes', 'AUTH-005', 'cache.yaml:11', {
    'cache.yaml': workload(
      'Deployment',
      '          args: [--requirepass, $(PW)]\n          env: [{ name: PW, valueFrom: { secretKeyRef: { name: s, key: pw } } }]',
    ),
    'secret.yaml': 'kind: Secret\napiVersion: v1\nmetadata: { name: s }\ndata: { pw: cGFzc3dvcmQ= }\n',
  }),
  fault('RedisFailover without a password', 'AUTH-002', 'rf.yaml:2', {
    'rf.yaml':
      'apiVersion: databases.spotahome.com/v1\nkind: RedisFailover\nmetadata: { name: rf }\nspec: { sentinel: { replicas: 3 }, redis: { replicas: 3 } }\n',
  }),
  fault('OT RedisCluster without TLS', 'NET-005', 'rc.yaml:2', {
    'rc.yaml':
      'apiVersion: redis.redis.opstreelabs.in/v1beta2\nkind: RedisCluster\nmetadata: { name: rc }\nspec: { kubernetesConfig: { redisSecret: { name: s, key: k } } }\n',
  }),
  fault('Dragonfly resource without a password', 'AUTH-002', 'df.yaml:2', {
    'df.yaml': 'apiVersion: dragonflydb.io/v1alpha1\nkind: Dragonfly\nmetadata: { name: df }\nspec: { replicas: 2 }\n',
  }),
  fault('KubeDB with authentication off', 'AUTH-002', 'kdb.yaml:2', {
    'kdb.yaml': 'apiVersion: kubedb.com/v1\nkind: Redis\nmetadata: { name: r }\nspec: { disableAuth: true }\n',
  }),
];

const helm: readonly FileFault[] = [
  fault('authentication off', 'AUTH-002', 'values.yaml:3', {
    'Chart.yaml': 'name: redis\nversion: 1.0.0\n',
    'values.yaml': 'architecture: replication\nauth:\n  enabled: false\n',
  }),
  fault('a password in values', 'HOST-011', 'values.yaml:3', {
    'values.yaml': 'architecture: standalone\nauth:\n  password: hunter2hunter2\n',
  }),
  fault("a dependency's part", 'NET-017', 'values.yaml:5', {
    'Chart.yaml': 'name: shop\ndependencies: [{ name: redis, alias: cache }]\n',
    'values.yaml': 'replicas: 2\ncache:\n  master:\n    service:\n      type: LoadBalancer\n',
  }),
  fault('TLS off', 'NET-005', 'values.yaml:1', {
    'values.yaml': 'architecture: standalone\nauth: { existingSecret: s }\ntls: { enabled: false }\n',
  }),
  fault('the policy off', 'NET-018', 'values.yaml:3', {
    'values.yaml': 'architecture: standalone\nauth: { existingSecret: s }\nnetworkPolicy: { enabled: false }\n',
  }),
  fault('a context with root', 'HOST-012', 'values.yaml:4', {
    'values.yaml':
      'architecture: standalone\nauth: { existingSecret: s }\nmaster:\n  containerSecurityContext: { runAsUser: 0 }\n',
  }),
  fault('client certificates off', 'TLS-017', 'values.yaml:3', {
    'values.yaml':
      'architecture: standalone\nauth: { existingSecret: s }\ntls: { enabled: true, authClients: false }\n',
  }),
  fault("a HelmRelease's values", 'AUTH-002', 'release.yaml:9', {
    'release.yaml': text`
    apiVersion: helm.toolkit.fluxcd.io/v2
    kind: HelmRelease
    metadata: { name: redis }
    spec:
      chart: { spec: { chart: redis } }
      values:
        architecture: standalone
        auth:
          enabled: false
  `,
  }),
];

const single: readonly FileFault[] = [
  fault('a password in .env', 'HOST-011', '.env:2', {
    '.env': 'NODE_ENV=production\nREDIS_PASSWORD=kJ8s7dfhKJHsd76fkjhsdf8761hjgfA\n',
  }),
  fault('an address with a password', 'HOST-011', '.env.production:1', {
    '.env.production': 'CACHE_URL="rediss://app:kJ8s7dfhKJHsd76@cache.example.com:6380"\n',
  }),
  fault('an address without TLS', 'CLI-001', '.env:1', { '.env': 'export REDIS_URL=redis://10.0.0.5:6379/0\n' }),
  fault('the default user', 'CLI-005', '.env:1', { '.env': 'REDIS_URL=rediss://:kJ8s7dfhKJHsd76@cache.example.com\n' }),
  fault('verification off', 'CLI-002', '.env:1', { '.env': 'NODE_TLS_REJECT_UNAUTHORIZED=0\n' }),
  fault('a Dockerfile without a password', 'AUTH-002', 'Dockerfile:2', {
    Dockerfile: 'FROM redis:7-alpine\nCMD ["redis-server", "--save", ""]\n',
  }),
  fault('a password in ENV', 'HOST-011', 'Dockerfile:2', {
    Dockerfile: 'FROM bitnami/redis\nENV REDIS_PASSWORD=hunter2\n',
  }),
  fault('a password as ARG', 'HOST-011', 'Containerfile:2', {
    Containerfile: 'FROM redis:7\nARG REDIS_PASSWORD=hunter2\n',
  }),
  fault('USER root', 'HOST-012', 'Dockerfile:2', { Dockerfile: 'FROM redis:7\nUSER root\nCMD ["redis-server"]\n' }),
  fault('a distribution image without USER', 'HOST-012', 'Dockerfile:3', {
    Dockerfile: 'FROM debian:12\nRUN apt-get install -y redis-server\nCMD ["redis-server", "--protected-mode", "no"]\n',
  }),
  fault('a copied configuration that is open', 'CFG-002', 'redis.conf:1', {
    Dockerfile:
      'FROM redis:7\nCOPY redis.conf /usr/local/etc/redis/\nCMD ["redis-server", "/usr/local/etc/redis/redis.conf"]\n',
    'redis.conf': 'enable-module-command yes\n',
  }),
  fault('a key copied into the image', 'HOST-011', 'Dockerfile:2', {
    Dockerfile: 'FROM redis:7\nCOPY tls/redis.key /tls/redis.key\n',
  }),
  fault('a unit that runs as root', 'HOST-012', 'redis.service:3', {
    'redis.service': '[Service]\nType=notify\nExecStart=/usr/bin/redis-server /etc/redis/redis.conf\n',
  }),
  fault('a drop-in that makes it root', 'HOST-012', 'redis.service.d/override.conf:2', {
    'redis.service': '[Service]\nUser=redis\nExecStart=/usr/bin/redis-server\n',
    'redis.service.d/override.conf': '[Service]\nUser=root\n',
  }),
  fault('a drop-in that replaces the command', 'NET-002', 'redis.service.d/x.conf:3', {
    'redis.service': '[Service]\nUser=redis\nExecStart=/usr/bin/redis-server --bind 127.0.0.1\n',
    'redis.service.d/x.conf': '[Service]\nExecStart=\nExecStart=/usr/bin/redis-server --bind 0.0.0.0 --requirepass x\n',
  }),
  fault('a unit without a sandbox', 'HOST-002', 'valkey.service:1', {
    'valkey.service': '[Service]\nUser=valkey\nExecStart=/usr/bin/valkey-server /etc/valkey.conf\n',
  }),
  fault('a password in a unit', 'HOST-010', 'redis.service:3', {
    'redis.service': '[Service]\nUser=redis\nEnvironment="REDIS_PASSWORD=hunter2"\nExecStart=/usr/bin/redis-server\n',
  }),
  fault("a password in a unit's command", 'HOST-011', 'redis.service:3', {
    'redis.service': '[Service]\nUser=redis\nExecStart=/usr/bin/redis-server --requirepass hunter2hunter2\n',
  }),
  fault('supervisord', 'AUTH-002', 'supervisord.conf:2', {
    'supervisord.conf': '[program:redis]\ncommand=redis-server --port 6379\nuser=redis\n',
  }),
  fault('/etc/default', 'NET-003', 'etc/default/redis-server:1', {
    'etc/default/redis-server': 'DAEMON_ARGS="--protected-mode no"\n',
  }),
  fault('a Sentinel that anyone commands', 'NET-009', 'sentinel.conf:1', {
    'sentinel.conf': 'port 26379\nsentinel monitor m 10.0.0.1 6379 2\n',
  }),
  fault("a Sentinel's script", 'CFG-023', 'sentinel.conf:3', {
    'sentinel.conf':
      'requirepass kJ8s7dfhKJHsd76fkjhsdf8761hjgfA\nsentinel monitor m 10.0.0.1 6379 2\nsentinel client-reconfig-script m /opt/x.sh\n',
  }),
  fault('a rewritten Sentinel with scripts to be set', 'CFG-023', 'sentinel.conf:2', {
    'sentinel.conf':
      'protected-mode no\nsentinel deny-scripts-reconfig no\nsentinel monitor m 10.0.0.1 6379 2\nsentinel current-epoch 4\n',
  }),
  fault('an ACL file with a user without a password', 'AUTH-002', 'users.acl:2', {
    'users.acl': 'user default off\nuser app on nopass ~app:* +@read\n',
  }),
  fault('an ACL file that says nothing of the default user', 'AUTH-003', 'users.acl:1', {
    'users.acl': 'user app on #5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8 ~app:* +get\n',
  }),
  fault('an ACL file with a weak password', 'AUTH-005', 'users.acl:2', {
    'users.acl': 'user default off\nuser app on >password ~app:* +get\n',
  }),
  fault('the last directive wins', 'AUTH-005', 'redis.conf:3', {
    'redis.conf': 'requirepass kJ8s7dfhKJHsd76fkjhsdf8761hjgfA\nbind 127.0.0.1\nrequirepass 123456\n',
  }),
  fault('old TLS versions', 'TLS-002', 'redis.conf:2', {
    'redis.conf': 'tls-port 6379\ntls-protocols "TLSv1.1 TLSv1.2"\n',
  }),
  fault('weak suites', 'TLS-003', 'redis.conf:2', { 'redis.conf': 'tls-port 6379\ntls-ciphers DEFAULT:!aNULL\n' }),
  fault('client certificates off in redis.conf', 'TLS-017', 'redis.conf:2', {
    'redis.conf': 'tls-port 6379\ntls-auth-clients no\n',
  }),
  fault('a socket for everyone', 'NET-007', 'redis.conf:2', {
    'redis.conf': 'unixsocket /run/redis.sock\nunixsocketperm 777\n',
  }),
  fault('data in /tmp', 'CFG-006', 'redis.conf:2', { 'redis.conf': 'bind 127.0.0.1\ndir /tmp\n' }),
  fault('an open cluster bus', 'NET-008', 'redis.conf:1', { 'redis.conf': 'cluster-enabled yes\n' }),
  fault('replication in clear', 'TLS-018', 'redis.conf:1', { 'redis.conf': 'replicaof 10.0.0.1 6379\n' }),
  fault('a user line without a password', 'AUTH-002', 'redis.conf:2', {
    'redis.conf': 'bind 127.0.0.1\nuser bob on nopass ~bob:* +get\n',
  }),
  fault('TLS turned off beside a host', 'CLI-001', '.env:2', {
    '.env': 'REDIS_HOST=cache.example.com\nREDIS_TLS=false\n',
  }),
  fault('a command of RUN that opens the configuration', 'NET-003', 'Dockerfile:2', {
    Dockerfile:
      'FROM debian:12\nRUN sed -i \'s/protected-mode yes/protected-mode no/\' /etc/redis/redis.conf\nUSER redis\nCMD ["redis-server", "/etc/redis/redis.conf"]\n',
  }),
  fault('a quoted value', 'NET-002', 'redis.conf:1', {
    'redis.conf': '"bind" "0.0.0.0"\nrequirepass kJ8s7dfhKJHsd76fkjhsdf8761hjgfA\n',
  }),
  fault('an include', 'CFG-002', 'conf.d/local.conf:1', {
    'redis.conf': 'bind 127.0.0.1\ninclude conf.d/local.conf\n',
    'conf.d/local.conf': 'enable-module-command yes\n',
  }),
  fault('CRLF and a byte order mark', 'NET-003', 'redis.conf:1', {
    'redis.conf': '\uFEFFprotected-mode no\r\nrequirepass kJ8s7dfhKJHsd76fkjhsdf8761hjgfA\r\n',
  }),
  fault("a workflow's address with a password", 'HOST-011', '.github/workflows/deploy.yml:5', {
    '.github/workflows/deploy.yml':
      'jobs:\n  deploy:\n    runs-on: x\n    env:\n      REDIS_URL: rediss://app:hunter2@cache.example.com:6380\n    steps: []\n',
  }),
];

const strong = 'kJ8s7dfhKJHsd76fkjhsdf8761hjgfA';

/** A script with one command. */
const script = (...rows: string[]): string => ['#!/bin/sh', 'set -e', ...rows, ''].join('\n');

/** A Quadlet file for a server with the lines given. */
const quadlet = (...lines: string[]): string =>
  ['[Container]', 'Image=docker.io/library/redis:7', ...lines, '[Install]', 'WantedBy=default.target', ''].join('\n');

/** Containers that are started without Compose or Kubernetes. */
const runs: readonly FileFault[] = [
  ...(
    [
      ['-p', 'CTR-007', '-p 6379:6379'],
      ['-p with its value', 'CTR-007', '-p6379:6379'],
      ['--publish=', 'CTR-007', '-d --publish=0.0.0.0:6379:6379'],
      ['--privileged', 'CTR-001', '--rm --privileged'],
      ['--net=host', 'CTR-006', '-it --net=host'],
      ['the socket of the engine', 'CTR-008', '-v /var/run/docker.sock:/var/run/docker.sock'],
      ['a mount of the host', 'CTR-008', '--mount type=bind,source=/,target=/host'],
      ['a capability', 'CTR-002', '--cap-add SYS_ADMIN'],
      ['root', 'CTR-011', '-u root'],
    ] as const
  ).map(([name, expected, options]) =>
    fault(`docker run: ${name}`, expected, 'start.sh:3', { 'start.sh': script(`docker run ${options} redis:7`) }),
  ),
  fault('docker run over several rows, a weak password', 'AUTH-005', 'start.sh:5', {
    'start.sh': script('sudo docker run -d \\', '  --name cache \\', '  redis:7 redis-server --requirepass redis123'),
  }),
  fault('docker run in the scripts of a package', 'CTR-007', 'package.json:3', {
    'package.json': '{\n  "scripts": {\n    "redis": "docker run -d -p 6379:6379 redis"\n  }\n}\n',
  }),
  fault('podman run in a Makefile', 'CTR-007', 'Makefile:2', {
    Makefile: 'cache:\n\t@podman run -d -p 6379:6379 redis:7\n',
  }),
  fault('a web interface by docker run', 'NET-014', 'ui.sh:3', {
    'ui.sh': script('docker run -d -p 5540:5540 redis/redisinsight:2.60'),
  }),
  fault('a password of redis-cli in a script', 'HOST-011', 'backup.sh:3', {
    'backup.sh': script(`redis-cli -h cache.example.com -a ${strong} --rdb /backup/dump.rdb`),
  }),
  ...(
    [
      ['PublishPort', 'CTR-007', 'PublishPort=6379:6379'],
      ['Network', 'CTR-006', 'Network=host'],
      ['Volume', 'CTR-008', 'Volume=/:/host'],
      ['AddCapability', 'CTR-002', 'AddCapability=SYS_ADMIN'],
      ['PodmanArgs', 'CTR-001', 'PodmanArgs=--privileged'],
      ['Exec', 'AUTH-005', 'Exec=redis-server --requirepass redis123'],
      ['Environment', 'HOST-010', `Environment=REDIS_PASSWORD=${strong}`],
    ] as const
  ).map(([name, expected, line]) =>
    fault(`Quadlet: ${name}`, expected, 'cache.container:3', { 'cache.container': quadlet(line) }),
  ),
];

/** The same secret in the files of several build services. */
const builds: readonly FileFault[] = [
  fault('GitHub', 'HOST-011', '.github/workflows/ci.yml:4', {
    '.github/workflows/ci.yml': `jobs:\n  t:\n    env:\n      REDIS_PASSWORD: ${strong}\n    steps: [{ run: npm test }]\n`,
  }),
  fault('GitLab', 'HOST-011', '.gitlab-ci.yml:2', {
    '.gitlab-ci.yml': `variables:\n  REDIS_URL: rediss://app:${strong}@cache.example.com:6379\nt:\n  script: [npm test]\n`,
  }),
  fault('CircleCI', 'HOST-011', '.circleci/config.yml:5', {
    '.circleci/config.yml': `jobs:\n  b:\n    docker: [{ image: "cimg/node:22.0" }]\n    environment:\n      REDIS_PASSWORD: ${strong}\n`,
  }),
  fault('Azure', 'HOST-011', 'azure-pipelines.yml:2', {
    'azure-pipelines.yml': `variables:\n  REDIS_PASSWORD: ${strong}\nsteps: [{ script: npm test }]\n`,
  }),
  fault('a command that reaches another machine', 'HOST-011', '.github/workflows/d.yml:4', {
    '.github/workflows/d.yml': `jobs:\n  t:\n    steps:\n      - run: redis-cli -h c.example.com -a ${strong} FLUSHALL\n`,
  }),
];

/** What a reader who did not know the checks thought of, and the audit did not. */
const others: readonly FileFault[] = [
  fault('a unit turns verification off', 'CLI-002', 'app.service:3', {
    'app.service':
      '[Service]\nUser=app\nEnvironment=NODE_TLS_REJECT_UNAUTHORIZED=0\nExecStart=/usr/bin/node /srv/a.js\n',
  }),
  fault('a file with one directive', 'CFG-016', 'redis.conf:1', { 'redis.conf': 'lua-time-limit 600000\n' }),
  fault('no output limit for replicas', 'CFG-013', 'redis.conf:2', {
    'redis.conf':
      'client-output-buffer-limit replica 0 0 0\nclient-output-buffer-limit normal 64mb 32mb 60\nmaxmemory 1gb\n',
  }),
  fault("a weak password of a Sentinel's primary", 'AUTH-006', 'sentinel.conf:3', {
    'sentinel.conf': 'port 26379\nsentinel monitor m 10.0.0.1 6379 2\nsentinel auth-pass m redis\n',
  }),
  fault("a weak password of Valkey's primary", 'AUTH-006', 'valkey.conf:2', {
    'valkey.conf': `requirepass ${strong}\nprimaryauth changeme\nreplicaof 10.0.0.2 6379\n`,
  }),
  fault('an image whose version has known flaws', 'VER-001', 'compose.yaml:2', {
    'compose.yaml': 'services:\n  cache:\n    image: redis:7.2.4\n',
  }),
  fault("a Secret of an application with the server's password", 'HOST-011', 'app.yaml:4', {
    'app.yaml': `apiVersion: v1\nkind: Secret\nmetadata: { name: app }\nstringData: { redis-password: ${strong} }\n`,
  }),
  fault('a literal of a Kustomization', 'HOST-011', 'kustomization.yaml:4', {
    'kustomization.yaml': `secretGenerator:\n  - name: redis\n    literals:\n      - REDIS_PASSWORD=${strong}\n`,
  }),
  fault('a web interface behind an Ingress', 'NET-017', 'ui.yaml:17', {
    'ui.yaml':
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: rc }\nspec:\n  template:\n    metadata: { labels: { app: rc } }\n    spec:\n      containers:\n        - { name: rc, image: "rediscommander/redis-commander:latest", ports: [{ containerPort: 8081 }] }\n---\napiVersion: v1\nkind: Service\nmetadata: { name: rc }\nspec: { selector: { app: rc }, ports: [{ port: 8081 }] }\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: rc }\nspec:\n  rules:\n    - http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: rc, port: { number: 8081 } } } }] }\n',
  }),
];

export const fileFaults: Readonly<Record<string, readonly FileFault[]>> = {
  Compose: compose,
  Kubernetes: kubernetes,
  Helm: helm,
  'single files': single,
  'containers that are started by hand': runs,
  builds,
  'other files': others,
};
