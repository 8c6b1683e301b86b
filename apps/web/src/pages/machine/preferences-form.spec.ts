import type { HostPreferences } from '@gleaner/client';
import { hostPreferences } from '@gleaner/protocol';
import { describe, expect, it } from 'vitest';
import { hoursOf, readPreferences } from './preferences-form';

function aForm(fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}

describe('the preferences that a form asks for', () => {
  it('are what was entered, in the words of the protocol', () => {
    const preferences = readPreferences(
      aForm({
        whileInUse: 'pause',
        onBattery: '',
        cores: '2',
        cpuTimePercent: '60',
        from: '22:00',
        to: '07:00',
      }),
      undefined,
    );
    expect(preferences).toEqual({
      whileInUse: 'pause',
      cores: { idle: 2 },
      cpuTimePercent: { idle: 60 },
      hours: { everyday: '22:00-07:00' },
    });
    expect(hostPreferences.safeParse(preferences).success).toBe(true);
    expect(hoursOf(preferences ?? {})).toEqual({ from: '22:00', to: '07:00' });
  });

  it('are none where every field was emptied', () => {
    const before: HostPreferences = { whileInUse: 'compute', cores: { idle: 2 } };
    expect(readPreferences(aForm({ whileInUse: '', cores: '' }), before)).toBeNull();
  });

  it('keep what the form does not show', () => {
    const before: HostPreferences = { minFreeDiskMiB: 500, cores: { idle: 4, inUse: 1 } };
    expect(readPreferences(aForm({ cores: '2' }), before)).toEqual({
      minFreeDiskMiB: 500,
      cores: { idle: 2, inUse: 1 },
    });
  });
});
