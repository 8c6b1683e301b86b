import type { ControlWish, IdlePreferences } from '@gleaner/domain';
import type { Control } from '../control/control-file.js';
import type { KeptWishes } from '../projects/wishes-file.js';
import { completePreferences, type PreferencesFile } from './preferences-file.js';

export interface WishInForce {
  readonly wish: ControlWish;
  /** Complete what is held and ask for nothing more, until told otherwise on the website. */
  readonly isFinishing: boolean;
  /** Version of what was said on the website before it was overruled at the machine; undefined where nothing was. */
  readonly overrulesWishes: number | undefined;
}

/**
 * What holds for a project: a pause at the machine always; else what was said last, there or on the project's website.
 *
 * @param isAlways the agent was started to compute whatever the machine is used for
 */
export function wishInForce(control: Control, afar: KeptWishes | null, isAlways: boolean): WishInForce {
  const { wish, wishedAtMs } = control;
  const isNewer = afar !== null && afar.receivedAtMs > (wishedAtMs ?? 0);
  const overrulesWishes = afar !== null && !isNewer ? afar.wishes.version : undefined;
  if (wish.kind !== 'pause' && wish.kind !== 'unclear' && isNewer && afar.wishes.run === 'pause') {
    return { wish: { kind: 'pause', untilMs: null, from: 'website' }, isFinishing: false, overrulesWishes };
  }
  const isFinishing = isNewer && afar.wishes.run === 'finish';
  const started = isAlways && wish.kind === 'auto' ? ({ kind: 'always', untilMs: null } as const) : wish;
  return { wish: started, isFinishing, overrulesWishes };
}

/** Preferences from the website where the file at the machine says nothing, at most so many cores; see `run --cores`. */
export function preferencesInForce(
  local: PreferencesFile,
  afar: PreferencesFile,
  maxCores: number,
): IdlePreferences {
  const preferences = completePreferences({
    ...afar,
    ...local,
    cores: { ...afar.cores, ...local.cores },
    cpuTimePercent: { ...afar.cpuTimePercent, ...local.cpuTimePercent },
    memoryPercent: { ...afar.memoryPercent, ...local.memoryPercent },
  });
  const { idle, inUse } = preferences.cores;
  const atMost = (cores: number | null): number => Math.min(cores ?? maxCores, maxCores);
  return { ...preferences, cores: { idle: atMost(idle), inUse: atMost(inUse) } };
}
