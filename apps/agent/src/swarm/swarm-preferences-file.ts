import { DEFAULT_SWARM_PREFERENCES, type SwarmPreferences } from '@gleaner/worker-sdk';
import { z } from 'zod';

const FACTORS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** Bytes: a number, or a text such as `500kB` or `1.5 GiB`; with `/s` where a rate is meant. */
function amount(suffix: '' | '/s') {
  return z.union([z.number(), z.string()]).transform((value, context): number => {
    const text = typeof value === 'number' ? `${value}B` : value.trim();
    const bare = suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length).trim() : text;
    const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(bare);
    const bytes = Math.floor(Number(match?.[1]) * (FACTORS[match?.[2] ?? ''] ?? Number.NaN));
    if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
    context.addIssue(`must be more than nothing, such as 500kB${suffix} or 2MiB${suffix}, not "${value}"`);
    return z.NEVER;
  });
}

// Several may be written in one word, as a command line likes it.
const interfaceNames = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((name) => name.trim()) : value),
  z.array(z.string().min(1).max(64)).min(1).max(32),
);

/** The part of the volunteer's preferences that is about other volunteers. */
export const swarmPreferencesFields = {
  /** Whether to exchange inputs with other volunteers, who see this host's address; left out: as answered at attach. */
  p2p: z.boolean().optional(),
  /** To and from other volunteers, bytes per second. */
  uploadLimit: amount('/s').nullable().optional(),
  downloadLimit: amount('/s').nullable().optional(),
  /** To and from other volunteers, in a calendar month. */
  monthlyCapBytes: amount('').nullable().optional(),
  swarmPort: z.number().int().min(0).max(65_535).optional(),
  interfaces: interfaceNames.nullable().optional(),
  keepReplicas: z.boolean().optional(),
};
const fields = z.object(swarmPreferencesFields);
type SwarmPreferencesFields = z.infer<typeof fields>;

/** Fills in the defaults. */
export function completeSwarmPreferences(file: SwarmPreferencesFields): SwarmPreferences {
  const defaults = DEFAULT_SWARM_PREFERENCES;
  return {
    uploadBytesPerSecond: file.uploadLimit ?? defaults.uploadBytesPerSecond,
    downloadBytesPerSecond: file.downloadLimit ?? defaults.downloadBytesPerSecond,
    monthlyCapBytes: file.monthlyCapBytes ?? defaults.monthlyCapBytes,
    port: file.swarmPort ?? defaults.port,
    interfaces: file.interfaces ?? defaults.interfaces,
    keepsReplicas: file.keepReplicas ?? defaults.keepsReplicas,
  };
}

/** What `prefs` shows of them. */
export function describeSwarmPreferences(file: SwarmPreferencesFields): string[] {
  const inForce = completeSwarmPreferences(file);
  const rate = (value: number | null): string => (value === null ? 'no limit' : `${value} B/s`);
  const cap = inForce.monthlyCapBytes;
  const consent = file.p2p === undefined ? 'as answered at attach' : file.p2p ? 'yes' : 'no';
  return [
    `exchange with volunteers       ${consent} (p2p)`,
    `up / down                      ${rate(inForce.uploadBytesPerSecond)} / ${rate(inForce.downloadBytesPerSecond)} (uploadLimit, downloadLimit)`,
    `in a month                     ${cap === null ? 'no limit' : `${cap} bytes`} (monthlyCapBytes)`,
    `port, interfaces               ${inForce.port || 'any'}, ${inForce.interfaces?.join(' ') ?? 'all'} (swarmPort, interfaces)`,
    `keep copies for others         ${inForce.keepsReplicas ? 'yes' : 'no'} (keepReplicas)`,
  ];
}
