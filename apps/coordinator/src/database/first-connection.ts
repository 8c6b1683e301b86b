import pg from 'pg';
import { DatabaseUnsuitedError } from './data-source.js';
import { messageOf } from './database-unusable.js';
import { SESSION_SETTINGS, settle } from './session-settings.js';

/** A server that is well answers within milliseconds; whoever waits without a word looks as if it had hung. */
const ANSWER_WITHIN_SECONDS = 20;

const ignore = (): void => undefined;

const TIMED_OUT = 'timeout expired';

/** What node-postgres, Node and TLS say of it, and what that means for whoever named the server. */
const MEANINGS: ReadonlyArray<readonly [said: RegExp, meaning: string]> = [
  [/client password must be a/, 'it asks for a password, and none is given'],
  [
    /^Connection terminated/,
    'it ended the connection without a word: something else than Postgres may listen there',
  ],
  [
    /self-signed certificate|unable to (?:verify the first|get local issuer) certificate/i,
    'nobody whom this machine trusts vouches for its certificate: name the file of who does, as sslmode=verify-full&sslrootcert=FILE',
  ],
];

/**
 * Connects to a database before anything else does. Whatever is in the way is its operator's to mend, or of whoever named it.
 *
 * @param name what the session is called in the server's lists
 * @throws {DatabaseUnsuitedError} where no connection comes about
 */
export async function firstConnection(
  url: string,
  name: string,
  withinSeconds = ANSWER_WITHIN_SECONDS,
): Promise<pg.Client> {
  let client: pg.Client | undefined;
  try {
    client = new pg.Client({
      connectionString: url,
      keepAlive: true,
      application_name: name,
      connectionTimeoutMillis: withinSeconds * 1000,
    });
    client.on('error', ignore);
    await client.connect();
    await settle(client, SESSION_SETTINGS);
    return client;
  } catch (error) {
    void client?.end().catch(ignore); // A server waits a minute for whoever cannot say who it is.
    throw new DatabaseUnsuitedError(meaningOf(messageOf(error), withinSeconds), { cause: error });
  }
}

function meaningOf(message: string, withinSeconds: number): string {
  if (message === TIMED_OUT) return `it has not answered for ${withinSeconds} s`;
  return MEANINGS.find(([said]) => said.test(message))?.[1] ?? message;
}
