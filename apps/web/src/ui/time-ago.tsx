import { serverNowMs } from '../api/server-clock';
import { formatDuration } from './estimate-remaining';
import { useTicks } from './use-ticks';

const JUST_NOW_MS = 10_000;

/** How long ago something happened, by the coordinator's clock; the exact moment on hover. */
export function TimeAgo({ at }: { readonly at: string }) {
  useTicks();
  const agoMs = serverNowMs() - Date.parse(at);
  return (
    <time dateTime={at} title={new Date(at).toLocaleString('en')} className="figure">
      {agoMs < JUST_NOW_MS ? 'just now' : `${formatDuration(agoMs / 1000)} ago`}
    </time>
  );
}
