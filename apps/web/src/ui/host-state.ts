import type { Host } from '@gleaner/client';
import { formatDuration } from './estimate-remaining';

/** Agents call at least every five minutes, browsers every minute; twice that is silence. */
const SILENT_AFTER_MS = 10 * 60 * 1000;
const COMPUTES = 'bg-grain breathing';
const AWAKE = 'bg-good';
const RESTS = 'bg-muted';

interface Shown {
  readonly text: string;
  /** Classes of its dot. */
  readonly dot: string;
}

/**
 * What a host does now and why, in words.
 *
 * @param nowMs by the coordinator's clock
 */
export function hostState(
  host: Pick<Host, 'held' | 'inProgress' | 'lastSeenAt' | 'wishes' | 'state'>,
  nowMs: number,
): Shown {
  if (host.held !== null) return { text: `Held by an operator: ${host.held}`, dot: 'bg-bad' };
  if (host.lastSeenAt === null) return { text: 'Attached, and has not asked for work yet', dot: RESTS };
  const silentMs = nowMs - Date.parse(host.lastSeenAt);
  if (silentMs > SILENT_AFTER_MS)
    return { text: `Silent for ${formatDuration(silentMs / 1000)}`, dot: RESTS };
  const tasks = host.inProgress === 1 ? 'one task' : `${host.inProgress} tasks`;
  switch (host.wishes.run) {
    case 'pause':
      return host.state?.phase === 'working'
        ? { text: 'Computing until it hears that it is to pause', dot: COMPUTES }
        : { text: 'Paused, as you asked', dot: RESTS };
    case 'finish':
      return host.inProgress === 0
        ? { text: 'Finished, as you asked', dot: RESTS }
        : { text: `Finishing ${tasks}, then it rests`, dot: COMPUTES };
    case 'run':
      // What it works on it says only once: the coordinator knows better.
      if (host.state !== null && host.state.phase !== 'working') return asItSays(host.state);
      if (host.state !== null && host.inProgress === 0) return { text: 'Computing', dot: COMPUTES };
      return host.inProgress === 0
        ? { text: 'Awake, without a task at the moment', dot: AWAKE }
        : { text: `Computing ${tasks}`, dot: COMPUTES };
  }
}

function asItSays({ phase, reason }: NonNullable<Host['state']>): Shown {
  const text = reason.charAt(0).toUpperCase() + reason.slice(1);
  return { text, dot: phase === 'starting' || phase === 'waiting' ? AWAKE : RESTS };
}
