import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Collected } from '../collector.ts';
import type { DeliveryResult } from '../notifications/delivery.ts';
import type { Totals } from '../inventory.ts';

/** What is looked up when somebody asks for metrics. */
export interface Readings {
  readonly totals: Totals;
  /** Bytes. */
  readonly freeSpace: number;
  readonly readOnly: boolean;
  /** Repositories with a quota. */
  readonly quotas: readonly { readonly repository: string; readonly used: number; readonly limit: number }[];
  /** Notifications that wait, by endpoint. */
  readonly waiting: ReadonlyMap<string, number>;
}

const prefix = 'wharf_registry_';

/** A registry's metrics, in Prometheus' text format. Each instance counts for itself. */
export class Metrics implements Disposable {
  readonly #registry = new Registry();
  readonly #requests = this.#counter('http_requests_total', 'Requests answered', ['method', 'route', 'code']);
  readonly #seconds = new Histogram({
    name: `${prefix}http_request_duration_seconds`,
    help: 'Time from a request to the end of its answer',
    labelNames: ['method', 'route'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300],
    registers: [this.#registry],
  });
  readonly #running = this.#gauge('http_requests_in_flight', 'Requests being answered');
  readonly #received = this.#counter('received_bytes_total', 'Bytes of blobs and manifests taken in');
  readonly #sent = this.#counter('sent_bytes_total', 'Bytes of answers sent');
  readonly #manifests = this.#counter('manifests_total', 'Manifests pulled, pushed, deleted', ['action']);
  readonly #notifications = this.#counter('notifications_total', 'Attempts to notify', [
    'endpoint',
    'result',
  ]);
  readonly #collections = this.#counter('gc_runs_total', 'Garbage collections');
  readonly #freed = this.#counter('gc_freed_bytes_total', 'Bytes freed by garbage collection');
  readonly #collectedAt = this.#gauge('gc_last_run_timestamp_seconds', 'When garbage was collected last');
  readonly #retired = this.#counter('retention_removed_total', 'Removed by retention rules', ['kind']);
  readonly #repositories = this.#gauge('repositories', 'Repositories that hold something');
  readonly #tags = this.#gauge('tags', 'Tags');
  readonly #stored = this.#gauge('stored_bytes', 'Bytes of distinct blobs and manifests');
  readonly #free = this.#gauge('free_bytes', 'Bytes free on the file system of the registry');
  readonly #readOnly = this.#gauge('read_only', '1 while pushes and deletions are refused');
  readonly #used = this.#gauge('quota_used_bytes', 'Bytes held by repositories that have a quota', [
    'repository',
  ]);
  readonly #limit = this.#gauge('quota_limit_bytes', 'Quotas of repositories', ['repository']);
  readonly #waiting = this.#gauge('notifications_waiting', 'Notifications that wait', ['endpoint']);

  /** `process`: also what the process uses; once in a process. */
  constructor(options: { readonly process: boolean }) {
    if (options.process) collectDefaultMetrics({ register: this.#registry });
  }

  begun(): void {
    this.#running.inc();
  }

  answered(request: {
    readonly method: string;
    readonly route: string;
    readonly code: number;
    readonly seconds: number;
    readonly received: number;
    readonly sent: number;
  }): void {
    // Anybody may send any method: its name must not make a series.
    const method = /^(GET|HEAD|PUT|POST|PATCH|DELETE)$/.test(request.method) ? request.method : 'other';
    const { route } = request;
    this.#running.dec();
    this.#requests.inc({ method, route, code: request.code });
    this.#seconds.observe({ method, route }, request.seconds);
    this.#received.inc(request.received);
    this.#sent.inc(request.sent);
  }

  manifest(action: 'pull' | 'push' | 'delete'): void {
    this.#manifests.inc({ action });
  }

  notified(endpoint: string, result: DeliveryResult): void {
    this.#notifications.inc({ endpoint, result });
  }

  collected({ bytes }: Collected): void {
    this.#collections.inc();
    this.#freed.inc(bytes);
    this.#collectedAt.setToCurrentTime();
  }

  retired(tags: number, manifests: number): void {
    this.#retired.inc({ kind: 'tag' }, tags);
    this.#retired.inc({ kind: 'manifest' }, manifests);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(readings: Readings): Promise<string> {
    const { totals, quotas, waiting } = readings;
    this.#repositories.set(totals.repositories);
    this.#tags.set(totals.tags);
    this.#stored.set(totals.bytes);
    this.#free.set(readings.freeSpace);
    this.#readOnly.set(readings.readOnly ? 1 : 0);
    for (const gauge of [this.#used, this.#limit, this.#waiting]) gauge.reset();
    for (const { repository, used, limit } of quotas) {
      this.#used.set({ repository }, used);
      this.#limit.set({ repository }, limit);
    }
    for (const [endpoint, count] of waiting) this.#waiting.set({ endpoint }, count);
    return await this.#registry.metrics();
  }

  [Symbol.dispose](): void {
    this.#registry.clear();
  }

  #counter<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter({
      name: prefix + name,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
    });
  }

  #gauge<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> {
    return new Gauge({ name: prefix + name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }
}
