import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

export interface AllowedAddresses {
  /** Multiaddresses to listen on. */
  readonly listen: readonly string[];
  /** The address that links to others start from; undefined: whichever the system chooses. */
  readonly dialFrom: string | undefined;
}

/** Bridges of containers and tunnels: nobody is reached by them who is not reached otherwise. */
const VIRTUAL = /^(docker|br-|veth|virbr|vmnet|vboxnet|cni|flannel|podman|tun|tap|wg|utun|tailscale|zt)/;

/**
 * Addresses of the interfaces that the volunteer allows: nothing else is listened on, told to others, or dialled from.
 *
 * @param names interfaces; null: all but the loopback, bridges of containers and tunnels
 * @param hasLocalCoordinator the coordinator is on this very machine, and so may other volunteers be
 * @throws {Error} when interfaces are named and none of them has an address now: links would start from others
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
      if (info.internal) return hasLocalCoordinator && info.family === 'IPv4';
      return !VIRTUAL.test(name) && !isLinkLocal(info);
    }),
  );
  if (names !== null && usable.length === 0) {
    throw new Error(
      `none of the network interfaces that you allow (${names.join(', ')}) has an address; this machine has ${Object.keys(interfaces).join(', ')}`,
    );
  }
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
