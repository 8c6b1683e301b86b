import type { WasmModule } from '../binary/wasm-module.js';
import { EXITING_IMPORTS } from './host-imports.js';
import type { ModuleFacts } from './scan-functions.js';

/**
 * Who may call whom. Nodes are all functions by index, followed by one node per type that stands for "any function of
 * this type whose address is taken", so that indirect calls cost one edge each.
 */
export interface CallGraph {
  readonly nodes: number;
  readonly edges: ReadonlyArray<readonly number[]>;
  /** The node of a type index. */
  typeNode(typeIndex: number): number;
}

/** Builds the graph; types that are equal in structure share the node of the first. */
export function callGraph(module: WasmModule, facts: ModuleFacts): CallGraph {
  const functionCount = module.functionTypes.length;
  const firstOfShape = new Map<string, number>();
  const canonicalType = module.types.map(({ parameters, results }, i) => {
    const shape = `${parameters.join()}>${results.join()}`;
    const first = firstOfShape.get(shape) ?? i;
    firstOfShape.set(shape, first);
    return first;
  });
  const typeNode = (type: number) => functionCount + (canonicalType[type] ?? 0);
  const edges: number[][] = Array.from({ length: functionCount + module.types.length }, () => []);
  for (const [i, { callees, indirectTypes }] of facts.functions.entries()) {
    edges[module.importedFunctions + i] = [...callees, ...indirectTypes.map(typeNode)];
  }
  for (const target of facts.addressTaken) edges[typeNode(module.functionTypes[target] ?? 0)]?.push(target);
  return { nodes: edges.length, edges, typeNode };
}

/** Strongly connected components in reverse topological order (callees first), by Tarjan's algorithm without recursion. */
export function components({ nodes, edges }: CallGraph): number[][] {
  const order = new Int32Array(nodes).fill(-1);
  const lowest = new Int32Array(nodes);
  const onStack = new Uint8Array(nodes);
  const nextEdge = new Int32Array(nodes);
  const stack: number[] = [];
  const path: number[] = [];
  const found: number[][] = [];
  let counter = 0;
  for (let root = 0; root < nodes; root++) {
    if (order[root] !== -1) continue;
    path.push(root);
    while (path.length > 0) {
      const node = path[path.length - 1]!; // The path is not empty here.
      if (order[node] === -1) {
        order[node] = lowest[node] = counter++;
        stack.push(node);
        onStack[node] = 1;
      }
      const target = edges[node]?.[nextEdge[node]!];
      if (target !== undefined) {
        nextEdge[node]!++;
        if (order[target] === -1) path.push(target);
        else if (onStack[target] === 1) lowest[node] = Math.min(lowest[node]!, order[target]!);
        continue;
      }
      path.pop();
      const caller = path[path.length - 1];
      if (caller !== undefined) lowest[caller] = Math.min(lowest[caller]!, lowest[node]!);
      if (lowest[node] === order[node]) found.push(popComponent(stack, onStack, node));
    }
  }
  return found;
}

function popComponent(stack: number[], onStack: Uint8Array, root: number): number[] {
  const component: number[] = [];
  let node;
  do {
    node = stack.pop()!; // The root is still on the stack.
    onStack[node] = 0;
    component.push(node);
  } while (node !== root);
  return component;
}

/** For each function (1 or 0): whether a call of it may end the program instead of returning, as `proc_exit` does. */
export function functionsThatMayExit(
  module: WasmModule,
  graph: CallGraph,
  sorted: ReadonlyArray<readonly number[]>,
): Uint8Array {
  const mayExit = new Uint8Array(graph.nodes);
  for (const { kind, index, module: from, name } of module.imports) {
    if (kind === 'function' && EXITING_IMPORTS.has(`${from}.${name}`)) mayExit[index] = 1;
  }
  for (const component of sorted) {
    const exits = component.some(
      (node) => mayExit[node] === 1 || (graph.edges[node] ?? []).some((to) => mayExit[to] === 1),
    );
    if (exits) for (const node of component) mayExit[node] = 1;
  }
  return mayExit;
}
