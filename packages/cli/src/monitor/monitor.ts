import { type ActiveAlert, ActiveAlerts } from './alerts/active-alerts.js';
import type { Notifier } from './alerts/notifier.js';
import type { DeploymentState } from './deployment-states.js';
import { detect } from './detect/detect.js';
import type { MonitorEvent } from './detect/events.js';
import type { Expectations } from './detect/expectations.js';
import type { NodeMemory } from './detect/node-memory.js';
import { nodeStates } from './detect/states.js';
import type { NodeGatherer } from './gather/node-gatherer.js';
import { exposition } from './metrics/exposition.js';
import { redisMetrics } from './metrics/redis-metrics.js';
import { type NodeView, redkeepMetrics } from './metrics/redkeep-metrics.js';
import type { Metric } from './metrics/sample.js';
import type { NodeSnapshot, WatchedNode } from './snapshot.js';
import type { MonitorState } from './state-file.js';

export interface WatchedDeployment {
  readonly name: string;
  readonly gatherers: readonly NodeGatherer[];
  /** Read again before every round: certificates and users are replaced while the monitor runs. */
  readonly expectations: (now: number) => Promise<Expectations>;
  readonly state: (now: number) => Promise<DeploymentState | undefined>;
}

export interface MonitorOptions {
  readonly deployments: readonly WatchedDeployment[];
  readonly notifier: Notifier;
  readonly version: string;
  readonly now: () => number;
  /** Only `redkeep_*` metrics, for use beside redis_exporter. */
  readonly securityOnly?: boolean;
  readonly remembered?: MonitorState;
  /** Called after each round with what is to be kept over a restart. */
  readonly keep?: (state: MonitorState) => Promise<void>;
}

/** An event with the node and moment it belongs to, for the page and the log. */
export interface SeenEvent extends MonitorEvent {
  readonly at: number;
  readonly node: WatchedNode;
}

/** Events kept for the page. */
const recentEvents = 200;
/** A scrape asks the servers at most this often, however many scrapers there are. */
const freshMs = 5000;

/** Watches deployments round by round: gathers, detects, follows alerts, tells receivers, answers scrapes. */
export class Monitor {
  readonly #options: MonitorOptions;
  readonly #alerts = new ActiveAlerts();
  readonly #views = new Map<string, NodeView>();
  readonly #memories = new Map<string, NodeMemory>();
  readonly #states = new Map<string, DeploymentState | undefined>();
  readonly #listeners = new Set<(event: SeenEvent) => void>();
  readonly #rounds = new Set<() => void>();
  #events: SeenEvent[] = [];
  #round: Promise<void> | undefined;
  #roundAt = Number.NEGATIVE_INFINITY;

  constructor(options: MonitorOptions) {
    this.#options = options;
    for (const [key, memory] of Object.entries(options.remembered?.nodes ?? {})) this.#memories.set(key, memory);
  }

  /** One round over all servers; a round that is under way is shared. */
  round(): Promise<void> {
    this.#round ??= this.#run().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Runs a round unless the last one is fresh. */
  async refresh(): Promise<void> {
    if (this.#options.now() - this.#roundAt >= freshMs) await this.round();
  }

  /** The exposition of everything; `redis_*` is in it when one server is watched, since its series name no server. */
  async metrics(): Promise<string> {
    return exposition(this.allMetrics());
  }

  allMetrics(): Metric[] {
    const views = this.views();
    const deployments = this.#options.deployments.map(({ name }) => ({ name, state: this.#states.get(name) }));
    const own = redkeepMetrics(views, deployments, this.#options.version);
    return views.length === 1 && !this.#options.securityOnly ? [...redisMetrics(views[0]!.snapshot), ...own] : own;
  }

  /** `redis_*` of one server, by its name or address; undefined for a server that is not watched. */
  async metricsOf(target: string): Promise<string | undefined> {
    const view = [...this.#views.values()].find(({ snapshot: { node } }) => namesOf(node).includes(target));
    return view && exposition(redisMetrics(view.snapshot));
  }

  views(): readonly NodeView[] {
    return [...this.#views.values()];
  }

  deploymentStates(): ReadonlyMap<string, DeploymentState | undefined> {
    return this.#states;
  }

  /** Alerts that hold; `atOnce` includes states that have not held for as long as their rule asks. */
  alerts(atOnce = false): readonly ActiveAlert[] {
    return this.#alerts.list(this.#options.now(), atOnce);
  }

  /** Newest first. */
  events(): readonly SeenEvent[] {
    return this.#events;
  }

  /** Calls after every round; returns what ends that. */
  onRound(listener: () => void): () => void {
    this.#rounds.add(listener);
    return () => this.#rounds.delete(listener);
  }

  /** Calls for every event; returns what ends that. */
  onEvent(listener: (event: SeenEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    await this.#round;
    await Promise.all(this.#options.deployments.flatMap(({ gatherers }) => gatherers.map((one) => one.close())));
  }

  async #run(): Promise<void> {
    const at = this.#options.now();
    await Promise.all(this.#options.deployments.map((deployment) => this.#watch(deployment, at)));
    this.#roundAt = at;
    for (const listener of this.#rounds) listener();
    await this.#options.keep?.({ format: 1, nodes: Object.fromEntries(this.#memories) });
    const names = this.#options.deployments.map(({ name }) => name);
    await this.#options.notifier.notify(this.#alerts.list(at), names, at);
  }

  async #watch(deployment: WatchedDeployment, at: number): Promise<void> {
    const [expected, state, snapshots] = await Promise.all([
      deployment.expectations(at),
      deployment.state(at),
      Promise.all(deployment.gatherers.map((gatherer) => gatherer.gather(at))),
    ]);
    for (const snapshot of snapshots) this.#take(snapshot, expected);
    this.#states.set(deployment.name, state);
    const whole: WatchedNode = { deployment: deployment.name, name: 'all', host: deployment.name, port: 0 };
    if (state) this.#alerts.update(whole, at, [], state.states);
  }

  #take(snapshot: NodeSnapshot, expected: Expectations): void {
    const { node, at } = snapshot;
    const key = JSON.stringify([node.deployment, node.name]);
    const found = detect(snapshot, this.#memories.get(key), expected);
    if (found) this.#memories.set(key, found.memory);
    const clients = snapshot.up ? (snapshot.clients ?? this.#views.get(key)?.clients) : undefined;
    const states = nodeStates(snapshot, clients, expected);
    this.#views.set(key, { snapshot, memory: this.#memories.get(key), states, clients, expected });
    this.#alerts.update(node, at, found?.events ?? [], states);
    for (const event of found?.events ?? []) {
      const seen = { ...event, at, node };
      this.#events = [seen, ...this.#events].slice(0, recentEvents);
      for (const listener of this.#listeners) listener(seen);
    }
  }
}

function namesOf({ name, host, port }: WatchedNode): string[] {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return [name, address, `rediss://${address}`, `redis://${address}`];
}
