import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);
/** Nothing of this leaves the namespaces, whatever networks the machine itself is on. */
const NET = '10.231';
const BRIDGE = 'street';

const interfaceCounters = z.tuple([
  z.object({
    stats64: z.object({ rx: z.object({ bytes: z.number() }), tx: z.object({ bytes: z.number() }) }),
  }),
]);

/** A network of one host: a namespace whose only way out is the router. */
export interface IsolatedNetwork {
  /** The host's own address. */
  readonly address: string;
  /** What a command is put behind to run there. */
  readonly launcher: readonly string[];
  /** Gives the host one more address, as a machine has that joins another network. */
  addAddress(address: string): Promise<void>;
  /** Bytes, headers included, that the router has sent into this network and received from it. */
  traffic(): Promise<{ readonly intoBytes: number; readonly outOfBytes: number }>;
}

/** Why namespaces cannot be made here; null where they can. */
export function whyNoNamespaces(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are Linux’s';
  if (process.getuid?.() !== 0) return 'making network namespaces needs root';
  const name = `gleaner-${randomBytes(4).toString('hex')}-probe`;
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'pipe' });
    execFileSync('ip', ['netns', 'delete', name], { stdio: 'pipe' });
    return null;
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isAbsent) return 'there is no `ip`; install it with: apt-get install iproute2';
    return `namespaces cannot be made: ${error instanceof Error ? error.message.trim() : String(error)}`;
  }
}

/** Networks or neighbours in namespaces of their own; gone when disposed of. */
export class RoutedNetworks implements AsyncDisposable {
  readonly #prefix = `gleaner-${randomBytes(4).toString('hex')}`;
  readonly #namespaces: string[] = [];
  readonly #networks: IsolatedNetwork[] = [];

  /** Separate networks of one host each, which reach each other through a router. */
  static async make(count: number): Promise<RoutedNetworks> {
    return RoutedNetworks.#build(async (networks, router) => {
      await run('ip', ['netns', 'exec', router, 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
      for (let index = 1; index <= count; index += 1) {
        const addresses = { host: `${NET}.${index}.2`, gateway: `${NET}.${index}.1` };
        await networks.#addHost(router, index, addresses);
      }
    });
  }

  /** Hosts on one network, as at home: they hear each other without anybody's help. */
  static async makeNeighbours(count: number): Promise<RoutedNetworks> {
    return RoutedNetworks.#build(async (networks, router) => {
      await run('ip', ['-n', router, 'link', 'add', BRIDGE, 'type', 'bridge']);
      await run('ip', ['-n', router, 'link', 'set', BRIDGE, 'up']);
      for (let index = 1; index <= count; index += 1)
        await networks.#addHost(router, index, { host: `${NET}.0.${index + 1}` });
    });
  }

  static async #build(
    add: (networks: RoutedNetworks, router: string) => Promise<void>,
  ): Promise<RoutedNetworks> {
    const networks = new RoutedNetworks();
    try {
      await add(networks, await networks.#addNamespace('router'));
      return networks;
    } catch (error) {
      await networks[Symbol.asyncDispose]();
      throw error;
    }
  }

  network(index: number): IsolatedNetwork {
    const network = this.#networks[index];
    if (!network) throw new RangeError(`only ${this.#networks.length} networks were made`);
    return network;
  }

  /** A namespace takes its interfaces with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#namespaces.splice(0)) await run('ip', ['netns', 'delete', name]);
  }

  async #addNamespace(role: string): Promise<string> {
    const name = `${this.#prefix}-${role}`;
    await run('ip', ['netns', 'add', name]);
    this.#namespaces.push(name);
    await run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    return name;
  }

  /** A host behind a gateway on a network of its own, or on the bridge where there is none. */
  async #addHost(
    router: string,
    index: number,
    { host: address, gateway }: { readonly host: string; readonly gateway?: string },
  ): Promise<void> {
    const namespace = await this.#addNamespace(`host-${index}`);
    const routerSide = `host-${index}`;
    // Both ends are born where they belong: the machine's own namespace never sees them.
    const pair = ['link', 'add', routerSide, 'netns', router, 'type', 'veth', 'peer', 'name', 'uplink'];
    await run('ip', [...pair, 'netns', namespace]);
    if (gateway !== undefined)
      await run('ip', ['-n', router, 'address', 'add', `${gateway}/24`, 'dev', routerSide]);
    else await run('ip', ['-n', router, 'link', 'set', routerSide, 'master', BRIDGE]);
    await run('ip', ['-n', router, 'link', 'set', routerSide, 'up']);
    await run('ip', ['-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'uplink']);
    await run('ip', ['-n', namespace, 'link', 'set', 'uplink', 'up']);
    // Without a gateway: multicast needs a route as well.
    const way = gateway === undefined ? ['dev', 'uplink'] : ['via', gateway];
    await run('ip', ['-n', namespace, 'route', 'add', 'default', ...way]);
    this.#networks.push({
      address,
      launcher: ['ip', 'netns', 'exec', namespace],
      addAddress: async (more) => {
        await run('ip', ['-n', namespace, 'address', 'add', `${more}/24`, 'dev', 'uplink']);
      },
      traffic: async () => {
        const { stdout } = await run('ip', ['-n', router, '-s', '-j', 'link', 'show', 'dev', routerSide]);
        const [{ stats64 }] = interfaceCounters.parse(JSON.parse(stdout));
        return { intoBytes: stats64.tx.bytes, outOfBytes: stats64.rx.bytes };
      },
    });
  }
}
