import { join } from 'node:path';
import type { Config } from '../../config/index.js';

/** Where a job's answer is put together, as long as that takes; whoever is killed meanwhile leaves it behind. */
export function foldingDirectory({ dataDir }: Pick<Config, 'dataDir'>, jobId: string): string {
  return join(dataDir, 'assimilation', `job-${jobId}`);
}
