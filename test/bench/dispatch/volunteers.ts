import { createHash } from 'node:crypto';
import { PROTOCOL_VERSION, resultDigestText } from '@gleaner/protocol';
import { Deque } from './deque.js';
import { HttpConnection, type RawResponse } from './http-connection.js';
import { LatencyHistogram } from './latency-histogram.js';

/** Connections to each coordinator: more than it can serve at once within the latency aimed at. */
const CONNECTIONS = 96;
/** A request that could not be sent for so long is given up: the offered load is beyond what can be served. */
const BACKLOG_MAX = 20_000;
/** Every volunteer computes this. The output is the same for all units, so that the load generator stays cheap. */
const OUTPUT = Buffer.from('{"found":0}\n');
export const BENCH_RUNTIME = 'bench-1';

export interface Volunteer {
  readonly secret: string;
  /** Where it comes from, as a trusted proxy would tell. */
  readonly address: string;
}

export interface LoadCounts {
  readonly calls: number;
  readonly errors: number;
  readonly tasksAssigned: number;
  readonly tasksReported: number;
  readonly firstError: string | null;
}

interface Host {
  readonly head: string;
  tasks: string[];
}

interface WorkAnswer {
  readonly reports: ReadonlyArray<{ readonly status: string; readonly reason?: string }>;
  readonly tasks: ReadonlyArray<{ readonly taskId: string }>;
}

/** Volunteers' machines: each call hands in what the host holds and asks for as much again. */
export class Volunteers {
  latencies = new LatencyHistogram();
  /** Is told of each call's latency as well. */
  onLatency: (ms: number) => void = () => undefined;
  private counts = { calls: 0, errors: 0, tasksAssigned: 0, tasksReported: 0 };
  private firstError: string | null = null;
  /** Hosts that wait for their turn, and connections that nobody uses; both first in, first out. */
  private readonly hosts = new Deque<Host>();
  private held = 0;
  private readonly connections = new Deque<HttpConnection>();
  private readonly backlog = new Deque<number>();
  private readonly allConnections: readonly HttpConnection[];
  private readonly reportTail = reportTail();
  private timer: NodeJS.Timeout | undefined;
  private closedLoop = false;

  constructor(
    coordinators: ReadonlyArray<{ readonly host: string; readonly port: number }>,
    volunteers: readonly Volunteer[],
    private readonly k: number,
  ) {
    for (const { secret, address } of volunteers) {
      const head = `POST /v1/work HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${secret}\r\nX-Forwarded-For: ${address}\r\nContent-Type: application/json\r\nContent-Length: `;
      this.hosts.push({ head, tasks: [] });
    }
    // Alternating, so that neighbouring calls go to different coordinators, as behind a load balancer.
    this.allConnections = Array.from({ length: CONNECTIONS }, () =>
      coordinators.map(({ host, port }) => new HttpConnection(host, port)),
    ).flat();
    for (const connection of this.allConnections) this.connections.push(connection);
  }

  /** Calls as fast as they are answered. */
  startClosedLoop(concurrency: number): void {
    this.closedLoop = true;
    for (let each = 0; each < concurrency; each += 1) void this.loop();
  }

  /** Calls arrive at a fixed rate, whether or not earlier ones have been answered. */
  startOpenLoop(callsPerSecond: number): void {
    const startMs = performance.now();
    let arrived = 0;
    this.timer = setInterval(() => {
      const due = Math.floor(((performance.now() - startMs) * callsPerSecond) / 1000);
      for (; arrived < due; arrived += 1) {
        const scheduledMs = startMs + (arrived * 1000) / callsPerSecond;
        if (this.backlog.length < BACKLOG_MAX) this.backlog.push(scheduledMs);
        else this.fail(new Error('the offered load is beyond what is served'));
      }
      this.serveBacklog();
    }, 1);
  }

  async stop(): Promise<void> {
    this.closedLoop = false;
    clearInterval(this.timer);
    while (this.backlog.length > 0) this.backlog.shift();
    while (this.connections.length < this.allConnections.length)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  close(): void {
    for (const connection of this.allConnections) connection.close();
  }

  /** Forgets what was measured so far. */
  reset(): void {
    this.latencies = new LatencyHistogram();
    this.counts = { calls: 0, errors: 0, tasksAssigned: 0, tasksReported: 0 };
    this.firstError = null;
  }

  /** Tasks that all of them have in hand. */
  get tasksInHand(): number {
    return this.held;
  }

  read(): LoadCounts {
    return { ...this.counts, firstError: this.firstError };
  }

  private async loop(): Promise<void> {
    while (this.closedLoop) {
      if (this.connections.length > 0 && this.hosts.length > 0) await this.call(performance.now());
      else await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  private serveBacklog(): void {
    while (this.connections.length > 0 && this.hosts.length > 0) {
      const scheduledMs = this.backlog.shift();
      if (scheduledMs === undefined) return;
      void this.call(scheduledMs).then(() => this.serveBacklog());
    }
  }

  private async call(scheduledMs: number): Promise<void> {
    const connection = this.connections.shift();
    const host = this.hosts.shift();
    if (!connection || !host) throw new Error('a call needs a free connection and a host');
    try {
      const body = this.request(host.tasks);
      this.take(host, await connection.send(`${host.head}${body.length}\r\n\r\n${body}`));
    } catch (error) {
      this.fail(error);
    } finally {
      this.connections.push(connection);
      this.hosts.push(host);
      this.counts.calls += 1;
      const tookMs = performance.now() - scheduledMs;
      this.latencies.record(tookMs);
      this.onLatency(tookMs);
    }
  }

  private request(tasks: readonly string[]): string {
    const reports = tasks.map((taskId) => `{"taskId":"${taskId}",${this.reportTail}`).join(',');
    return (
      `{"protocol":${PROTOCOL_VERSION},"runtimeVersions":["${BENCH_RUNTIME}"],"reports":[${reports}],` +
      `"request":{"maxTasks":${this.k},"memoryMiB":2048,"cores":4}}`
    );
  }

  private take(host: Host, { status, body }: RawResponse): void {
    if (status !== 200) throw new Error(`${status} ${body.slice(0, 300)}`);
    const answer = JSON.parse(body) as WorkAnswer; // `as`: the coordinator's own answer, in a benchmark
    for (const { status: verdict, reason } of answer.reports) {
      if (verdict === 'accepted') this.counts.tasksReported += 1;
      else this.fail(new Error(`a report was answered with ${verdict}: ${reason ?? ''}`));
    }
    this.held -= host.tasks.length;
    host.tasks = answer.tasks.map(({ taskId }) => taskId);
    this.held += host.tasks.length;
    this.counts.tasksAssigned += host.tasks.length;
  }

  private fail(error: unknown): void {
    this.counts.errors += 1;
    this.firstError ??= error instanceof Error ? error.message : String(error);
  }
}

/** A report without its task's id, up to its closing brace. */
function reportTail(): string {
  const output = {
    name: 'stdout',
    size: OUTPUT.length,
    sha256: createHash('sha256').update(OUTPUT).digest('hex'),
  };
  const result = { outcome: 'ok' as const, exitCode: 0, cycles: '1000', outputs: [output] };
  const report = {
    ...result,
    outputs: [{ ...output, base64: OUTPUT.toString('base64') }],
    digest: createHash('sha256').update(resultDigestText(result)).digest('hex'),
    runtimeVersion: BENCH_RUNTIME,
    cpuMs: 12,
  };
  return JSON.stringify(report).slice(1);
}
