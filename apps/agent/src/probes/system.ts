/** The families of systems that agents know; what is neither Windows nor macOS is treated like Linux. */
export type System = 'linux' | 'macos' | 'windows';

export function currentSystem(platform: NodeJS.Platform = process.platform): System {
  if (platform === 'win32') return 'windows';
  return platform === 'darwin' ? 'macos' : 'linux';
}
