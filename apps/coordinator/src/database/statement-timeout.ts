import { QueryFailedError } from 'typeorm';

const QUERY_CANCELED = '57014';

/** Whether a statement was ended by its `statement_timeout`. */
export function isStatementTimeout(error: unknown): boolean {
  if (!(error instanceof QueryFailedError)) return false;
  const driverError: unknown = error.driverError;
  return (
    typeof driverError === 'object' &&
    driverError !== null &&
    Reflect.get(driverError, 'code') === QUERY_CANCELED
  );
}
