import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { QUEUES, QueueService, type ValidateData } from '../queue/index.js';
import { ValidationService } from './validation.service.js';

/** Two at a time: while one waits for its commit the other computes. */
const CONCURRENCY = 2;

/** Works on the queue `{validate}`. */
@Injectable()
export class ValidateProcessor implements OnApplicationBootstrap {
  constructor(
    private readonly queues: QueueService,
    private readonly validation: ValidationService,
  ) {}

  onApplicationBootstrap(): void {
    this.queues.consume<ValidateData>(
      QUEUES.validate,
      ({ data }) => this.validation.examine(data.units, { all: data.all === true }),
      { concurrency: CONCURRENCY },
    );
  }
}
