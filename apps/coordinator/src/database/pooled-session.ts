import type pg from 'pg';

type Session = Pick<pg.ClientBase, 'query'>;

/** Somebody else may get the free session in between. */
const LOOKS = 3;

/**
 * Whether two connections are answered by one session of the server: a pooler gives each transaction whichever is free. Locks, prepared
 * statements and settings are then anybody's.
 */
export async function isShared(first: Session, second: Session): Promise<boolean> {
  for (let look = 0; look < LOOKS; look += 1) {
    if ((await pidOf(first)) === (await pidOf(second))) return true;
  }
  return false;
}

async function pidOf(session: Session): Promise<number | undefined> {
  const { rows } = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid;
}
