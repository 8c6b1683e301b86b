import type { HostPreferences } from '@gleaner/client';

/** The preferences that the form asks for, as it sent them; an empty field leaves the machine's own setting. */
export function readPreferences(form: FormData, before: HostPreferences | undefined): HostPreferences | null {
  const preferences: HostPreferences = { ...before };
  set(preferences, 'whileInUse', choice(form, 'whileInUse'));
  set(preferences, 'onBattery', choice(form, 'onBattery'));
  set(preferences, 'inUseMinutes', number(form, 'inUseMinutes'));
  set(preferences, 'cores', part(before?.cores, 'idle', number(form, 'cores')));
  set(preferences, 'cpuTimePercent', part(before?.cpuTimePercent, 'idle', number(form, 'cpuTimePercent')));
  set(preferences, 'memoryPercent', part(before?.memoryPercent, 'idle', number(form, 'memoryPercent')));
  const { from, to } = { from: form.get('from'), to: form.get('to') };
  const hours = typeof from === 'string' && typeof to === 'string' && from !== '' && to !== '';
  set(preferences, 'hours', hours ? { everyday: `${from}-${to}` } : undefined);
  return Object.keys(preferences).length === 0 ? null : preferences;
}

/** The range of hours that the form can show; a week's timetable comes from the machine's own file. */
export function hoursOf(preferences: HostPreferences | undefined): { from: string; to: string } {
  const range = preferences?.hours?.['everyday'];
  const [from = '', to = ''] = typeof range === 'string' ? range.split('-') : [];
  return { from, to };
}

function set<K extends keyof HostPreferences>(
  preferences: HostPreferences,
  key: K,
  value: HostPreferences[K] | undefined,
): void {
  if (value === undefined) delete preferences[key];
  else preferences[key] = value;
}

/** `whole` with one member set, or left out where nothing was entered; undefined where nothing remains. */
function part<T extends object>(
  whole: T | undefined,
  key: keyof T & string,
  value: number | undefined,
): T | undefined {
  const rest = Object.fromEntries(Object.entries(whole ?? {}).filter(([name]) => name !== key));
  const merged = value === undefined ? rest : { ...rest, [key]: value };
  // `as`: the same members, one of them with another number.
  return Object.keys(merged).length === 0 ? undefined : (merged as T);
}

function choice(form: FormData, name: string): 'pause' | 'compute' | undefined {
  const value = form.get(name);
  return value === 'pause' || value === 'compute' ? value : undefined;
}

function number(form: FormData, name: string): number | undefined {
  const value = form.get(name);
  return typeof value === 'string' && value !== '' ? Number(value) : undefined;
}
