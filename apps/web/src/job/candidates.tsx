import { useQuery } from '@tanstack/react-query';
import { Panel } from '../ui/parts';
import { CandidatePlot } from './candidate-plot';
import { candidatesQuery, type Answer } from './candidates-query';
import type { Candidates as Found } from './parse-candidates';

const LISTED = 12;

/** What a search found, if the job's answer is one of signals; otherwise nothing. */
export function Candidates({ jobId, answer }: { readonly jobId: string; readonly answer: Answer }) {
  const { data: found } = useQuery(candidatesQuery(jobId, answer));
  if (!found) return null;
  const { strongest } = found;
  return (
    <Panel className="mt-6">
      <div className="mb-4 flex flex-wrap items-baseline justify-between gap-x-6">
        <h2 className="text-2xl">What was found</h2>
        <p className="figure text-muted">{countOf(found)}</p>
      </div>
      {strongest.length > 0 && (
        <>
          <CandidatePlot candidates={strongest} />
          <p className="mt-3 max-w-3xl text-sm text-muted">
            Each stroke is a tone that stood out of the noise: where, when, and how it drifted. One tone shows
            in neighbouring searches too, so that strokes lie on each other. The brighter, the stronger.
          </p>
          <div className="mt-4 overflow-x-auto" tabIndex={0} role="region" aria-label="The strongest signals">
            <table className="figure w-full min-w-[34rem] text-left text-sm">
              <caption className="sr-only">The strongest signals</caption>
              <thead>
                <tr className="border-b border-line text-muted">
                  <Head name="Power" />
                  <Head name="Frequency" />
                  <Head name="Drift" />
                  <Head name="Time" />
                  <Head name="Length" />
                  <Head name="Bin" />
                </tr>
              </thead>
              <tbody>
                {strongest.slice(0, LISTED).map((candidate) => (
                  <tr
                    key={`${candidate.chirpHzPerS} ${candidate.fftLen} ${candidate.bin} ${candidate.seconds}`}
                    className="border-b border-line last:border-0"
                  >
                    <td className="py-2 pr-4 font-semibold">{candidate.power.toFixed(2)}</td>
                    <td className="py-2 pr-4">{(candidate.detectionHz / 1e6).toFixed(6)} MHz</td>
                    <td className="py-2 pr-4">{candidate.chirpHzPerS.toFixed(3)} Hz/s</td>
                    <td className="py-2 pr-4">{candidate.seconds.toFixed(1)} s</td>
                    <td className="py-2 pr-4">{candidate.fftLen.toLocaleString('en')}</td>
                    <td className="py-2">{candidate.bin.toLocaleString('en')}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </Panel>
  );
}

function countOf({ strongest, total }: Found): string {
  // Whatever kind of answer it would have been: an empty one is of every kind.
  if (total === 0) return 'nothing: the answer is empty';
  const count = `${total.toLocaleString('en')} ${total === 1 ? 'signal' : 'signals'} above the threshold`;
  return strongest.length < total
    ? `the strongest ${strongest.length.toLocaleString('en')} of ${count}`
    : count;
}

function Head({ name }: { readonly name: string }) {
  return (
    <th scope="col" className="py-2 pr-4 font-medium">
      {name}
    </th>
  );
}
