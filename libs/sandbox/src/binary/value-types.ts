/** Encodings of the value types that the profile admits. */
export const VALUE_TYPE = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
} as const;

const names = new Map<number, string>(Object.entries(VALUE_TYPE).map(([name, type]) => [type, name]));

export const EMPTY_BLOCK_TYPE = 0x40;

/** The type's name in the specification, undefined for an encoding that the profile refuses. */
export function valueTypeName(type: number): string | undefined {
  return names.get(type);
}

export function isReferenceType(type: number): boolean {
  return type === VALUE_TYPE.funcref || type === VALUE_TYPE.externref;
}

export function isFloatOrVector(type: number): boolean {
  return type === VALUE_TYPE.f32 || type === VALUE_TYPE.f64 || type === VALUE_TYPE.v128;
}
