import type { HostKind } from '@gleaner/protocol';

/**
 * Memory that units are sorted by: a unit belongs to the smallest step that holds it, and goes to hosts that offer the whole
 * step. MiB.
 */
export const MEMORY_STEPS_MIB = [64, 128, 256, 512, 1024, 2048, 4096] as const;
/** A browser tab offers no more than this to a module. MiB. */
export const BROWSER_MEMORY_MIB = 1024;

/** `browser-256`: any host that offers 256 MiB may serve it; `agent-256`: agents only. */
export type UnitClass = `${HostKind}-${(typeof MEMORY_STEPS_MIB)[number]}`;

/** Every class, most demanding first. */
export const UNIT_CLASSES: readonly UnitClass[] = [...MEMORY_STEPS_MIB]
  .reverse()
  .flatMap((step): UnitClass[] =>
    step > BROWSER_MEMORY_MIB ? [`agent-${step}`] : [`agent-${step}`, `browser-${step}`],
  );

/**
 * What a unit requires of its host.
 *
 * @param isBrowserAble whether browsers may run it: the app steps, and its inputs fit a tab
 * @throws {RangeError} beyond the largest step
 */
export function classOfUnit(memoryMiB: number, isBrowserAble: boolean): UnitClass {
  const step = MEMORY_STEPS_MIB.find((size) => memoryMiB <= size);
  if (step === undefined) throw new RangeError(`no class of units has ${memoryMiB} MiB`);
  return `${isBrowserAble && step <= BROWSER_MEMORY_MIB ? 'browser' : 'agent'}-${step}`;
}

/** Whether no browser serves the class, whatever it offers. */
export function isForAgentsOnly(unitClass: UnitClass): boolean {
  return unitClass.startsWith('agent-');
}

/** What a host has to offer to be given units of the class. MiB. */
export function memoryOfClass(unitClass: UnitClass): number {
  return Number(unitClass.split('-')[1]);
}

/** Classes that a host can serve, most demanding first: what fewer hosts can do, those that can do it do first. */
export function classesOfHost(kind: HostKind, memoryMiB: number): readonly UnitClass[] {
  return UNIT_CLASSES.filter(
    (unitClass) => memoryOfClass(unitClass) <= memoryMiB && (kind === 'agent' || !isForAgentsOnly(unitClass)),
  );
}
