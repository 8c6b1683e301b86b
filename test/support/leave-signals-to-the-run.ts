// A terminal sends these to every process of a run. The one that runs the tests must not end before the run has seen what it started.
for (const signal of ['SIGINT', 'SIGHUP'] as const) {
  if (process.listenerCount(signal) === 0) process.on(signal, () => undefined);
}
