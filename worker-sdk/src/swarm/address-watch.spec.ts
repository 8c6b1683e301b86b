import { describe, expect, it } from 'vitest';
import { AddressWatch } from './address-watch.js';

describe('AddressWatch', () => {
  it('notices another network once its addresses have stopped changing, and not what comes back at once', () => {
    let addresses: readonly string[] | undefined = ['10.0.0.7'];
    const watch = new AddressWatch(() => {
      if (!addresses) throw new Error('no address');
      return addresses;
    });
    const looks = (now: readonly string[] | undefined, times: number) => {
      addresses = now;
      return Array.from({ length: times }, () => watch.hasChanged());
    };
    expect(looks(['10.0.0.7'], 5)).toEqual(Array(5).fill(false));
    expect(looks(undefined, 2)).toEqual([false, false]);
    expect(looks(['10.0.0.7'], 5)).toEqual(Array(5).fill(false));
    expect(looks(['192.168.1.3'], 1)).toEqual([false]);
    expect(looks(['192.168.1.3', '2001:db8::3'], 4)).toEqual([false, false, true, true]);
    expect(looks(undefined, 3)).toEqual([false, false, true]);
  });
});
