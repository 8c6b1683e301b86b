import type { Host } from '@gleaner/client';
import { formatDuration } from './estimate-remaining';

/** Agents call at least every five minutes, browsers every minute; twice that is silence. */
const SILENT_AFTER_MS = 10 * 60 * 1000;

/** What a host does now, in words, and the colour of its dot. */
export function hostState(
  host: Pick<Host, 'held' | 'inProgress' | 'lastSeenAt' | 'wishes'>,
  nowMs: number,
): { readonly text: string; readonly dot: string } {
  if (host.held !== null) return { text: `Held by an operator: ${host.held}`, dot: 'bg-bad' };
  if (host.lastSeenAt === null) return { text: 'Attached, and has not asked for work yet', dot: 'bg-muted' };
  const silentMs = nowMs - Date.parse(host.lastSeenAt);
  if (silentMs > SILENT_AFTER_MS) {
    return { text: `Silent for ${formatDuration(silentMs / 1000)}`, dot: 'bg-muted' };
  }
  const tasks = host.inProgress === 1 ? 'one task' : `${host.inProgress} tasks`;
  switch (host.wishes.run) {
    case 'pause':
      return { text: 'Paused, as you asked', dot: 'bg-muted' };
    case 'finish':
      return host.inProgress === 0
        ? { text: 'Finished, as you asked', dot: 'bg-muted' }
        : { text: `Finishing ${tasks}, then it rests`, dot: 'bg-grain breathing' };
    case 'run':
      return host.inProgress === 0
        ? { text: 'Awake, without a task at the moment', dot: 'bg-good' }
        : { text: `Computing ${tasks}`, dot: 'bg-grain breathing' };
  }
}
