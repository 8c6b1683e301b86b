import type { Problem } from '@gleaner/protocol';

export interface RawCall {
  readonly token?: string | undefined;
  readonly type?: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

export interface RawAnswer {
  readonly status: number;
  /** What an answer without a body leaves out. */
  readonly problem: Partial<Problem>;
}

/** A request as it stands, sensible or not. */
export async function call(url: string, method: string, path: string, request: RawCall): Promise<RawAnswer> {
  const { token, type = 'application/json', body } = request;
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      'content-type': type,
    },
    body,
  });
  const text = await response.text();
  return { status: response.status, problem: text === '' ? {} : (JSON.parse(text) as Problem) };
}
