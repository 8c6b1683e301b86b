import { getOutput, getPublicOutput } from '@gleaner/client';
import { queryOptions } from '@tanstack/react-query';
import { beginsWithCandidate, parseCandidates, type Candidates } from './parse-candidates';

/** A larger answer is for programs: it would take a phone's memory, and its reader's patience. */
const LOOKED_AT_MAX_BYTES = 8 * 1024 * 1024;
/** Several lines of candidates. */
const BEGINNING_BYTES = 4096;

/** A job's merged answer, as everybody may have it or as one of its scientists does. */
export interface Answer {
  /** null: as everybody. */
  readonly accountId: string | null;
  readonly sizeBytes: number;
}

/**
 * What a search found, where the answer is one of candidates: else null. Only the beginning of an answer of another kind is
 * loaded. Answers never change.
 */
export const candidatesQuery = (jobId: string, { accountId, sizeBytes }: Answer) =>
  queryOptions({
    queryKey: [...(accountId === null ? [] : ['me', accountId]), 'answer', jobId, sizeBytes],
    queryFn: async ({ signal }): Promise<Candidates | null> => {
      const get = accountId === null ? getPublicOutput : getOutput;
      const load = async (headers: Record<string, string>): Promise<string> => {
        const options = {
          path: { id: jobId },
          headers,
          parseAs: 'text',
          signal,
          throwOnError: true,
        } as const;
        // The document says only that it is bytes: `parseAs` makes it text.
        const { data }: { readonly data: unknown } = await get(options);
        if (typeof data !== 'string') throw new TypeError('the answer came as something else than text');
        return data;
      };
      if (sizeBytes > BEGINNING_BYTES) {
        const beginning = await load({ range: `bytes=0-${BEGINNING_BYTES - 1}` });
        if (!beginsWithCandidate(beginning)) return null;
      }
      return parseCandidates(await load({}));
    },
    enabled: sizeBytes <= LOOKED_AT_MAX_BYTES,
    staleTime: Number.POSITIVE_INFINITY,
  });
