import { z } from 'zod';
import { hostFacts } from './hosts.js';
import { isoInstant } from './primitives.js';

/*
 * Device authorization after RFC 8628: a host shows a code, a person approves it with a token of their own, and the host
 * gets a token that can only work, and only as this host. No other token ever reaches the host.
 */

/** POST /v1/device/code: what the host tells about itself, shown to the person who approves it. */
export const requestDeviceCode = z.strictObject({ host: hostFacts }).meta({ id: 'RequestDeviceCode' });

export const deviceCode = z
  .strictObject({
    deviceCode: z.string().describe('A secret of the machine, for `POST /v1/device/token`.'),
    userCode: z.string().describe('What the person types, such as `WDJB-MJHT`.'),
    verificationUri: z.string().describe('The page on which the person types it.'),
    verificationUriComplete: z.string().describe('The same page with the code filled in.'),
    expiresInSeconds: z.number().int(),
    intervalSeconds: z.number().int().describe('Ask for the token no more often than this.'),
  })
  .meta({ id: 'DeviceCode' });
export type DeviceCode = z.infer<typeof deviceCode>;

/** POST /v1/device/token: answered like an attachment once approved, with `authorization-pending` before. */
export const redeemDeviceCode = z
  .strictObject({ deviceCode: z.string().max(200).describe('As it was answered to the machine.') })
  .meta({ id: 'RedeemDeviceCode' });

/** GET /v1/device/CODE, for the person who is to approve it: what waits with this code (RFC 8628 §5.4). */
export const waitingDevice = z
  .strictObject({
    host: hostFacts,
    network: z
      .string()
      .nullable()
      .describe(
        'Where it asked from: a /24 or /48; null where that is not known, as behind a proxy that is not trusted.',
      ),
    isYourNetwork: z
      .boolean()
      .nullable()
      .describe(
        'Whether you ask from there, too; null where either is not known. Approve no machine that you do not look at.',
      ),
    askedAt: isoInstant,
    expiresAt: isoInstant,
  })
  .meta({ id: 'WaitingDevice' });
export type WaitingDevice = z.infer<typeof waitingDevice>;

/** As a person types it: case, spaces and hyphens do not matter. */
export const typedUserCode = z.string().max(40);

/** POST /v1/device/approve, by the person. Case and hyphens of the code do not matter. */
export const approveDevice = z
  .strictObject({
    userCode: typedUserCode.describe('As the machine shows it; case, spaces and hyphens do not matter.'),
    approve: z.boolean().default(true).describe('`false` turns the machine away.'),
  })
  .meta({ id: 'ApproveDevice' });

export const approvedDevice = z
  .strictObject({ approved: z.boolean(), host: hostFacts })
  .meta({ id: 'ApprovedDevice' });
export type ApprovedDevice = z.infer<typeof approvedDevice>;
