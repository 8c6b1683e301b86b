import { useEffect, useRef, useState } from 'react';
import { heatColors } from './heat-colors';
import { volunteerSession } from './volunteer-session';

const COLUMNS = 512;
const ROWS = 150;
const ROW_PIXELS = 3;
const NIGHT = '#060910';
/** A picture of another app may have any size; a row of intensities has at most so many. */
const FRAME_BYTES_MAX = 8192;

/** Shows power spectra, whose axes can be told; what other apps' pictures mean only they know. */
const SPECTRAL_APP = 'seti-classic';

/** The real spectra of the task in hand, newest on top, as the app publishes them from its memory. */
export function Waterfall({ isOn, isBlank }: { readonly isOn: boolean; readonly isBlank: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [rows, setRows] = useState(0);
  const [app, setApp] = useState<string | null>(null);
  const isShown = rows > 0 && !isBlank;
  const isSpectrum = app === SPECTRAL_APP;
  useEffect(() => {
    const context = canvas.current?.getContext('2d', { alpha: false });
    if (!context) return undefined;
    const colors = heatColors();
    context.fillStyle = NIGHT;
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
    const line = context.createImageData(COLUMNS, ROW_PIXELS);
    const words = new Uint32Array(line.data.buffer);
    return volunteerSession.onFrame(({ app: shown, bytes }) => {
      if (bytes.length === 0 || bytes.length > FRAME_BYTES_MAX) return;
      for (let column = 0; column < COLUMNS; column += 1) {
        const from = Math.floor((column * bytes.length) / COLUMNS);
        const color = colors[bytes[from] ?? 0] ?? 0;
        for (let row = 0; row < ROW_PIXELS; row += 1) words[row * COLUMNS + column] = color;
      }
      context.drawImage(context.canvas, 0, ROW_PIXELS);
      context.putImageData(line, 0, 0);
      setRows((count) => count + 1);
      setApp(shown);
    });
  }, []);
  return (
    <figure className="overflow-hidden rounded-2xl border border-line bg-[#060910]">
      <div className="relative">
        <canvas
          ref={canvas}
          width={COLUMNS}
          height={ROWS * ROW_PIXELS}
          role="img"
          aria-label={
            isSpectrum || !isShown
              ? 'Waterfall of the power spectra that this tab computes; the newest is on top'
              : `Waterfall of what ${app} shows while this tab computes it; the newest is on top`
          }
          data-rows={rows}
          className="block h-64 w-full [image-rendering:pixelated] sm:h-80"
        />
        {!isShown && (
          <p className="absolute inset-0 grid place-items-center bg-[#060910] p-6 text-center text-[#aab4c6]">
            {placeholderOf(isOn, isBlank)}
          </p>
        )}
      </div>
      <figcaption className="flex min-h-8 justify-between gap-4 border-t border-[#263146] px-4 py-2 text-xs text-[#aab4c6]">
        {/* Where nothing is shown there are no axes to tell. */}
        {!isShown ? null : isSpectrum ? (
          <>
            <span>
              ← lower<span className="hidden sm:inline"> frequency</span>
            </span>
            <span>
              newest on top<span className="hidden sm:inline">; white: above the threshold</span>
            </span>
            <span>higher →</span>
          </>
        ) : (
          <span className="mx-auto">
            what <bdi>{app}</bdi> shows of its work, newest on top
          </span>
        )}
      </figcaption>
    </figure>
  );
}

function placeholderOf(isOn: boolean, isBlank: boolean): string {
  if (!isOn) return 'What your computer sees appears here.';
  return isBlank
    ? 'This app shows no picture of its work; it computes all the same.'
    : 'The first picture appears as soon as a unit is being computed.';
}
