let aheadMs = 0;

/** Takes note of what the coordinator's clock shows: this computer's may be hours off. */
export function noteServerTime(dateHeader: string | null): void {
  const serverMs = Date.parse(dateHeader ?? '');
  if (Number.isFinite(serverMs)) aheadMs = serverMs - Date.now();
}

/** Now, by the coordinator's clock, to which all times in its answers belong. Unix milliseconds. */
export function serverNowMs(): number {
  return Date.now() + aheadMs;
}
