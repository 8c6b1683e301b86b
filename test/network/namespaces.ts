import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);
/** Nothing of this leaves the namespaces, whatever networks the machine itself is on. */
const NET = '10.231';

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

/** Separate networks that reach each other through a router, each in a namespace of its own; gone when disposed of. */
export class RoutedNetworks implements AsyncDisposable {
  readonly #prefix = `gleaner-${randomBytes(4).toString('hex')}`;
  readonly #namespaces: string[] = [];
  readonly #networks: IsolatedNetwork[] = [];

  static async make(count: number): Promise<RoutedNetworks> {
    const networks = new RoutedNetworks();
    try {
      const router = await networks.#addNamespace('router');
      await run('ip', ['netns', 'exec', router, 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
      for (let index = 1; index <= count; index += 1) await networks.#addNetwork(router, index);
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

  async #addNetwork(router: string, index: number): Promise<void> {
    const namespace = await this.#addNamespace(`host-${index}`);
    const [address, gateway] = [`${NET}.${index}.2`, `${NET}.${index}.1`];
    const routerSide = `host-${index}`;
    // Both ends are born where they belong: the machine's own namespace never sees them.
    const pair = ['link', 'add', routerSide, 'netns', router, 'type', 'veth', 'peer', 'name', 'uplink'];
    await run('ip', [...pair, 'netns', namespace]);
    await run('ip', ['-n', router, 'address', 'add', `${gateway}/24`, 'dev', routerSide]);
    await run('ip', ['-n', router, 'link', 'set', routerSide, 'up']);
    await run('ip', ['-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'uplink']);
    await run('ip', ['-n', namespace, 'link', 'set', 'uplink', 'up']);
    await run('ip', ['-n', namespace, 'route', 'add', 'default', 'via', gateway]);
    this.#networks.push({
      address,
      launcher: ['ip', 'netns', 'exec', namespace],
      traffic: async () => {
        const { stdout } = await run('ip', ['-n', router, '-s', '-j', 'link', 'show', 'dev', routerSide]);
        const [{ stats64 }] = interfaceCounters.parse(JSON.parse(stdout));
        return { intoBytes: stats64.tx.bytes, outOfBytes: stats64.rx.bytes };
      },
    });
  }
}
