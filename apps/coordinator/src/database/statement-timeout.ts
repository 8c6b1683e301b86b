import { QueryFailedError } from 'typeorm';

const QUERY_CANCELED = '57014';
/** PostgreSQL's `lock_not_available`. */
export const LOCK_NOT_AVAILABLE = '55P03';

/** Whether a statement was ended by its `statement_timeout`. */
export function isStatementTimeout(error: unknown): boolean {
  return sqlStateOf(error) === QUERY_CANCELED;
}

/** Whether a statement was ended by its `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  return sqlStateOf(error) === LOCK_NOT_AVAILABLE;
}

function sqlStateOf(error: unknown): unknown {
  if (!(error instanceof QueryFailedError)) return undefined;
  const driverError: unknown = error.driverError;
  return typeof driverError === 'object' && driverError !== null
    ? Reflect.get(driverError, 'code')
    : undefined;
}
