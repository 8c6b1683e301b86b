import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

export interface AllowedAddresses {
  /** Multiaddresses to listen on. */
  readonly listen: readonly string[];
  /** The address that links to others start from; undefined: whichever the system chooses. */
  readonly dialFrom: string | undefined;
}

/**
 * Addresses of the interfaces that the volunteer allows: nothing else is listened on, told to others, or dialled from.
 *
 * @param names interfaces; null: all but the loopback
 * @param hasLocalCoordinator the coordinator is on this very machine, and so may other volunteers be
 */
export function allowedAddresses(
  names: readonly string[] | null,
  port: number,
  hasLocalCoordinator: boolean,
  interfaces: Interfaces = networkInterfaces(),
): AllowedAddresses {
  const usable = Object.entries(interfaces).flatMap(([name, infos = []]) =>
    infos.filter((info) => {
      if (names !== null) return names.includes(name) && !isLinkLocal(info);
      return (!info.internal || (hasLocalCoordinator && info.family === 'IPv4')) && !isLinkLocal(info);
    }),
  );
  const listen = usable.map(
    ({ family, address }) => `/${family === 'IPv4' ? 'ip4' : 'ip6'}/${address}/tcp/${port}`,
  );
  const first = usable.find(({ family }) => family === 'IPv4') ?? usable[0];
  return { listen: [...new Set(listen)], dialFrom: names === null ? undefined : first?.address };
}

/** Means nothing without its interface, and holds the hardware's address. */
function isLinkLocal({ address }: NetworkInterfaceInfo): boolean {
  return /^fe[89ab]/i.test(address) || address.startsWith('169.254.');
}
