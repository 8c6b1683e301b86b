import {
  PAIR_TYPE,
  type Parts,
  passingType,
  type Scope,
  storingType,
  USE_FUEL,
  within,
} from './fuzz-sandbox-frame.js';
import {
  DROP,
  END,
  free,
  type Instruction,
  op,
  STORES,
  type Type,
  TYPE_BYTE,
} from './fuzz-sandbox-operators.js';

/*
 * Branches, and blocks that take and have values.
 */

/** The values that a branch to a label takes along. */
export function carried(parts: Parts, label: number, scope: Scope): Instruction[] {
  return (scope.labels[label] ?? []).flatMap((type) => parts.expression(type, 1, scope));
}

export function branchIf(parts: Parts, scope: Scope): Instruction[] {
  if (scope.labels.length === 0) return [free(0x01)];
  const label = parts.random.int(scope.labels.length);
  const kept = (scope.labels[label] ?? []).map(() => DROP);
  return [...carried(parts, label, scope), ...parts.condition(scope), op(0x0d, label), ...kept];
}

export function branchByTable(parts: Parts, scope: Scope): Instruction[] {
  const { random } = parts;
  const first = random.int(scope.labels.length);
  const types = String(scope.labels[first]);
  const alike = scope.labels.flatMap((each, label) => (String(each) === types ? [label] : []));
  const labels = Array.from({ length: 1 + random.int(3) }, () => random.pick(alike));
  return [...carried(parts, first, scope), ...parts.condition(scope), op(0x0e, labels.length - 1, ...labels)];
}

/** Stores what a block, a loop or the arm of a condition takes, where its bits can be seen as they came. */
export function storingBlock(parts: Parts, type: Type, scope: Scope): Instruction[] {
  const [inner, round] = [within(scope), within(scope, ['i32', type])];
  const operands = [...parts.address(scope), ...parts.expression(type, 2, scope)];
  const store = op(...STORES[type], 0, 0);
  const taking = storingType(type);
  switch (parts.random.int(3)) {
    case 0:
      return [...operands, free(0x02, taking), store, ...parts.statements(inner, 2), END];
    case 1:
      return [...operands, free(0x03, taking), store, ...USE_FUEL, ...parts.statements(round, 2), END];
    default:
      return [...operands, ...parts.condition(scope), op(0x04, taking), store, free(0x05), store, END];
  }
}

/** A value by way of a block, a loop or a condition, whose labels carry it. */
export function passing(parts: Parts, type: Type, scope: Scope): Instruction[] {
  const inner = within(scope, [type]);
  const value = (around: Scope) => parts.expression(type, 2, around);
  const statements = parts.statements(inner, 2);
  switch (parts.random.int(6)) {
    case 0:
      return [free(0x02, TYPE_BYTE[type]), ...statements, ...value(inner), END];
    case 1:
      return [...value(scope), free(0x02, passingType(type)), ...statements, END];
    case 2: {
      const keep = op(0x21, parts.local(type));
      const loop = [free(0x03, passingType(type)), keep, ...USE_FUEL, ...statements, ...value(inner), END];
      return [...value(scope), ...loop];
    }
    case 3:
      return [
        ...value(scope),
        ...parts.condition(scope),
        op(0x04, passingType(type)),
        ...statements,
        free(0x05),
        DROP,
        ...value(inner),
        END,
      ];
    case 4: {
      const again = within(scope);
      return [free(0x03, TYPE_BYTE[type]), ...USE_FUEL, ...parts.statements(again, 2), ...value(again), END];
    }
    default:
      return ofPair(parts, type, scope);
  }
}

/** One of the two values of a block. */
function ofPair(parts: Parts, type: Type, scope: Scope): Instruction[] {
  if (type !== 'i64' && type !== 'i32') return parts.expression(type, 1, scope);
  const inner = within(scope, ['i64', 'i32']);
  const second = parts.local('i32');
  return [
    free(0x02, PAIR_TYPE),
    ...parts.statements(inner, 2),
    ...parts.expression('i64', 2, inner),
    ...parts.expression('i32', 2, inner),
    END,
    ...(type === 'i64' ? [DROP] : [op(0x21, second), DROP, op(0x20, second)]),
  ];
}
