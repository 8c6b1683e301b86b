import { LIMITS } from '@gleaner/protocol';
import type { BlobOwner } from '../blobs/index.js';

/** The owner of the blobs that hold a task's outputs. */
export function taskBlobOwner(task: { readonly unitId: number; readonly ordinal: number }): BlobOwner {
  return {
    kind: 'task',
    id: String(BigInt(task.unitId) * BigInt(LIMITS.tasksPerUnit) + BigInt(task.ordinal)),
  };
}
