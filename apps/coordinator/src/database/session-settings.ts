/**
 * No statement takes helpers: they compete with dispatch for the same cores, and starting them costs more than a page of rows, which
 * is what nearly every statement reads.
 */
const NO_HELPERS = '-c max_parallel_workers_per_gather=0';

/**
 * No statement is compiled: the planner expects units to be looked for in every partition, and compiling what it takes for expensive
 * takes longer than running it. A page of jobs took 1.1 s instead of 0.07 s with 50 partitions.
 */
const NO_COMPILING = '-c jit=off';

/**
 * What an administrator may have set otherwise for the role, the database or all. Times are read as ISO says them. A time-out ends
 * what takes long for a reason: a migration of a large table, and the wait of those that start meanwhile. Statements that may be
 * ended say so themselves.
 */
const AS_EXPECTED =
  '-c datestyle=ISO -c default_transaction_isolation=read\\ committed -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0';

/** What every session with the database is started with, whoever the role is. */
export const SESSION_SETTINGS = `${NO_HELPERS} ${NO_COMPILING} ${AS_EXPECTED}`;
