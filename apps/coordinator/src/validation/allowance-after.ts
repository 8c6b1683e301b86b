/** SQL of the numbers that {@link allowanceAfterSql} is computed from. */
interface AllowanceParts {
  readonly perDay: string;
  /** Results that were judged so now. */
  readonly valid: string;
  readonly invalid: string;
  /** The domain's `maxAllowancePerDay`; NULL where nothing was judged. */
  readonly maxPerDay: string;
}

/**
 * The domain's `allowanceAfter` for the statement that changes the row: what the allowance is by then is known to nobody before, as
 * others of the host's results are judged at the same moment.
 */
export function allowanceAfterSql({ perDay, valid, invalid, maxPerDay }: AllowanceParts): string {
  // Beyond 2^31 nothing changes, and powers of two are exact; least and greatest pass NULL over.
  const power = (exponent: string): string => `power(2::float8, least(31, ${exponent}))`;
  return `greatest(1, floor(least(${maxPerDay}, greatest(1, ${perDay}) * ${power(valid)}) / ${power(invalid)}))::integer`;
}
