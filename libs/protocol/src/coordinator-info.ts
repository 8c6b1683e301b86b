import { z } from 'zod';

/** Who runs this coordinator and what its clients need to know, before anybody trusts it with anything. */
export const coordinatorInfo = z
  .strictObject({
    name: z.string(),
    operator: z.strictObject({ name: z.string(), contact: z.string() }),
    /** Version of the wire protocol, see PROTOCOL_VERSION. */
    protocol: z.number().int(),
    /** What signs manifests: the raw 32 bytes of an Ed25519 public key, base64. */
    publicKey: z.string(),
    sourceUrl: z.string(),
  })
  .meta({ id: 'CoordinatorInfo' });
export type CoordinatorInfo = z.infer<typeof coordinatorInfo>;
