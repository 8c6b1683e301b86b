import { z } from 'zod';

/** Who runs this coordinator and what its clients need to know, before anybody trusts it with anything. */
export const coordinatorInfo = z
  .strictObject({
    name: z.string(),
    operator: z.strictObject({
      name: z.string(),
      contact: z.string().describe('An address of the operator; empty where none was set.'),
    }),
    protocol: z.number().int().describe('Version of the protocol that machines speak with it.'),
    publicKey: z
      .string()
      .describe('Of what signs manifests: the 32 bytes of an Ed25519 public key, in base64.'),
    sourceUrl: z
      .string()
      .describe('Where the code that it runs can be had; empty where the operator does not tell.'),
  })
  .meta({ id: 'CoordinatorInfo' });
export type CoordinatorInfo = z.infer<typeof coordinatorInfo>;
