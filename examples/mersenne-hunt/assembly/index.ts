import { args, done, fail, MORE, progress, stdout } from "@gleaner/app-sdk/assembly";
import { LucasLehmer } from "./lucas-lehmer";

/** Largest exponent: one of this size takes about ten minutes. */
const MAX_EXPONENT: i32 = 100_000;
/** Products of limbs in one step: 50 to 200 ms of work. */
const PRODUCTS_PER_STEP: i64 = 200_000_000;

let from: i32 = 0;
let to: i32 = 0;
let exponent: i32 = 0;
let test: LucasLehmer | null = null;

/** Tests the exponents `FROM <= p < TO`; arguments: `FROM TO`. */
export function gleaner_step(): i32 {
  if (test === null) start();
  const current = test!;
  let products: i64 = 0;
  while (exponent < to && products < PRODUCTS_PER_STEP) {
    const iterations = <i32>((PRODUCTS_PER_STEP - products) / current.productsPerIteration) + 1;
    products += current.advance(iterations) * current.productsPerIteration;
    if (!current.isDone) break;
    report(current);
    exponent++;
    if (exponent < to) current.begin(exponent);
  }
  progress(permille(current));
  return exponent < to ? MORE : done();
}

function start(): void {
  const given = args();
  if (given.length != 2) fail("usage: mersenne-hunt FROM TO");
  from = <i32>I32.parseInt(given[0]);
  to = <i32>I32.parseInt(given[1]);
  if (from < 2 || to > MAX_EXPONENT + 1 || from > to) {
    fail("exponents must lie in 2:" + (MAX_EXPONENT + 1).toString());
  }
  exponent = from;
  const created = new LucasLehmer(max(from, to - 1));
  if (from < to) created.begin(from);
  test = created;
}

function report(finished: LucasLehmer): void {
  stdout
    .text('{"p":').integer(finished.exponent)
    .text(',"prime":').text(finished.isPrime ? "true" : "false")
    .text(',"residue":"').hex(finished.residue, 16)
    .text('"}\n');
}

/** Share of the work done: a test takes p iterations of p² each, so that all up to p take about p⁴. */
function permille(current: LucasLehmer): i32 {
  const total = fourthPower(to) - fourthPower(from);
  if (exponent >= to || total <= 0) return 1000;
  return <i32>((1000 * (fourthPower(<f64>exponent + current.shareDone) - fourthPower(from))) / total);
}

function fourthPower(value: f64): f64 {
  return value * value * value * value;
}
