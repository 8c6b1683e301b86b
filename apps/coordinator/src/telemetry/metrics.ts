import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';

const SHARED_MS = 1_000;

/** One registry a coordinator, so that several applications in one process (tests) never share counters. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  /** Label `route` is the route's pattern, never the path: labels must stay few. */
  readonly requestSeconds = new Histogram({
    name: 'gleaner_http_request_seconds',
    help: 'Time from the request to the end of the answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.005, 0.02, 0.05, 0.2, 1, 5, 30],
    registers: [this.registry],
  });

  readonly blobBytesServed = new Counter({
    name: 'gleaner_origin_bytes_total',
    help: 'Bytes of blobs that the origin sent',
    registers: [this.registry],
  });

  private shared: { readonly text: Promise<string>; readonly untilMs: number } | undefined;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** All of it as text. That is thousands of lines, which take a while: whoever asks within a second of somebody gets the same. */
  text(): Promise<string> {
    const now = performance.now();
    if (this.shared === undefined || this.shared.untilMs <= now) {
      this.shared = { text: this.registry.metrics(), untilMs: now + SHARED_MS };
    }
    return this.shared.text;
  }
}
