import { z } from 'zod';
import { LIMITS } from './limits.js';
import { plainText } from './primitives.js';

/** What a volunteer may set of a machine, in the words and units of its preferences file; shares are percentages. */
const percent = z.number().min(0).max(100);
const positivePercent = z.number().min(1).max(100);
/** `22:00-07:00` in the host's local time; an end before the beginning is on the next day. */
const hourRange = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/, {
    error: 'must be a range of hours such as "22:00-07:00"',
  })
  .refine((text) => text.slice(0, 5) !== text.slice(6), {
    error: 'must end at another time than it begins: a whole day is "00:00-24:00"',
  });
const hourRanges = z.union([hourRange, z.array(hourRange).max(24)]);

/** Days by their names, the first of a week as in `Date`. */
export const WEEKDAYS = [
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
] as const;

/**
 * What a host may be used for, as a volunteer writes it: what is left out has its default, null switches a rule off. The
 * same fields as in the agent's `preferences.json`, which explains them; a field of that file goes before one from afar.
 */
export const hostPreferences = z
  .strictObject({
    whileInUse: z
      .enum(['pause', 'compute'])
      .optional()
      .describe('Whether it computes while somebody uses it.'),
    inUseMinutes: z
      .number()
      .min(0)
      .max(1440)
      .optional()
      .describe('How long it counts as in use after the last key or movement.'),
    cores: z
      .strictObject({
        idle: z.number().int().min(1).max(1024).nullable().optional(),
        inUse: z.number().int().min(0).max(1024).nullable().optional(),
      })
      .optional()
      .describe('How many it may use.'),
    cpuTimePercent: z
      .strictObject({ idle: positivePercent.optional(), inUse: positivePercent.optional() })
      .optional()
      .describe('Of the time of each of these cores.'),
    memoryPercent: z
      .strictObject({ idle: percent.optional(), inUse: percent.optional() })
      .optional()
      .describe("Of the machine's memory."),
    maxCpuByOthersPercent: percent
      .nullable()
      .optional()
      .describe('It pauses while other programs need more of all cores.'),
    onBattery: z.enum(['pause', 'compute']).optional(),
    minBatteryPercent: percent.optional().describe('Below it nothing is computed on battery either way.'),
    maxTemperatureC: z
      .number()
      .min(30)
      .max(150)
      .nullable()
      .optional()
      .describe('Above it nothing is computed, in °C.'),
    minFreeDiskMiB: z
      .number()
      .min(0)
      .max(2 ** 40)
      .optional()
      .describe('Below it nothing is computed.'),
    hours: z
      .partialRecord(z.enum(['everyday', ...WEEKDAYS]), hourRanges)
      .nullable()
      .optional()
      .describe(
        "When it computes, by the machine's own clock: `22:00-07:00` ends on the next day; a day's own ranges go before those of `everyday`.",
      ),
  })
  .meta({ id: 'HostPreferences' });
export type HostPreferences = z.infer<typeof hostPreferences>;

/**
 * What the owner of a host asked of it from afar, such as on the website. `run`: nothing is asked. `pause`: compute nothing
 * until it is `run` again. `finish`: complete the work at hand, ask for no more, and wait for `run`; a service that ended
 * could not be called back. What the volunteer says at the machine itself always goes first.
 */
export const hostWishes = z
  .strictObject({
    run: z
      .enum(['run', 'pause', 'finish'])
      .describe(
        '`run`: nothing is asked. `pause`: compute nothing. `finish`: complete the work at hand and ask for no more.',
      ),
    preferences: hostPreferences.optional(),
    version: z
      .number()
      .int()
      .min(0)
      .describe(
        'Grows with each change; a machine applies only what is newer than what it has. 0: nothing was ever asked.',
      ),
  })
  .meta({ id: 'HostWishes' });
export type HostWishes = z.infer<typeof hostWishes>;

/** What a host does: `working`, `waiting` for work or for the coordinator, or `paused` by a rule or wish of its owner. */
export const HOST_PHASES = ['starting', 'working', 'waiting', 'paused', 'stopping', 'stopped'] as const;

/**
 * What a host says of itself when that changes, for its owner alone: `reason` is one sentence, such as "paused: you are typing".
 * Hosts send it at most every 30 seconds.
 */
export const hostState = z
  .strictObject({
    phase: z
      .enum(HOST_PHASES)
      .describe('`waiting`: for work or for the coordinator. `paused`: by a rule or a wish of its owner.'),
    reason: plainText(LIMITS.hostReasonLength).describe('One sentence, such as `paused: you are typing`.'),
  })
  .meta({ id: 'HostState' });
export type HostState = z.infer<typeof hostState>;
