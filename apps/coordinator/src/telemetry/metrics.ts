import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';

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

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }
}
