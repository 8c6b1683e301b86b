import { setTimeout as delay } from 'node:timers/promises';
import {
  attachedHost,
  coordinatorInfo,
  publicJobPage,
  deviceCode,
  type AttachedHost,
  type CoordinatorInfo,
  type DeviceCode,
  type HostFacts,
  type PublicJob,
} from '@gleaner/protocol';
import { CoordinatorClient, CoordinatorError } from './coordinator-client.js';

export interface AttachByCodeOptions {
  readonly coordinator: string | URL;
  readonly facts: HostFacts;
  /** Shows the person which code to approve, and where. */
  readonly onCode: (code: DeviceCode) => void;
}

/**
 * Joins the account of whoever approves the code (RFC 8628), and resolves when somebody has.
 *
 * @throws {CoordinatorError} when the code is turned down or its time is over
 */
export async function attachByCode(options: AttachByCodeOptions, signal: AbortSignal): Promise<AttachedHost> {
  const client = new CoordinatorClient({ baseUrl: new URL(options.coordinator) });
  const code = await client.postJson('/v1/device/code', { host: options.facts }, deviceCode, signal);
  options.onCode(code);
  for (;;) {
    await delay(code.intervalSeconds * 1000, undefined, { signal });
    try {
      return await client.postJson('/v1/device/token', { deviceCode: code.deviceCode }, attachedHost, signal);
    } catch (error) {
      // A coordinator that is away for a moment has not decided anything. The code's own end bounds the waiting.
      if (!isWorthAsking(error)) throw error;
    }
  }
}

/** Who runs a coordinator, and where its source is. */
export async function describeCoordinator(
  coordinator: string | URL,
  signal: AbortSignal,
): Promise<CoordinatorInfo> {
  const client = new CoordinatorClient({ baseUrl: new URL(coordinator) });
  return client.getJson('/v1/coordinator', coordinatorInfo, signal);
}

/** Jobs that a coordinator computes now and shows to everybody, the newest first. */
export async function describeWork(
  coordinator: string | URL,
  signal: AbortSignal,
): Promise<readonly PublicJob[]> {
  const client = new CoordinatorClient({ baseUrl: new URL(coordinator) });
  const { items } = await client.getJson('/v1/public/jobs?running=true', publicJobPage, signal);
  return items;
}

function isWorthAsking(error: unknown): boolean {
  if (!(error instanceof CoordinatorError)) return false;
  if (error.kind === 'unreachable' || error.kind === 'unavailable') return true;
  return error.details.problem?.code === 'authorization-pending';
}
