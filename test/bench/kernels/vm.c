/* An interpreter of a small bytecode: one indirect branch per instruction. The program counts Collatz steps. */
#include "kernel.h"

enum { PUSH, LOAD, STORE, ADD, SUB, MUL, SHR, AND, JUMP, JUMP_IF_ZERO, HALT };
enum { NUMBER, VALUE, STEPS, VARIABLES };

static uint8_t program[64];
static uint32_t length;

static uint32_t emit1(uint8_t op) {
  program[length++] = op;
  return length;
}

static uint32_t emit2(uint8_t op, uint8_t operand) {
  emit1(op);
  return emit1(operand);
}

/* for (; number; number--) for (value = number; value != 1; steps++) value = value odd ? 3 value + 1 : value / 2; */
static void assemble(void) {
  length = 0;
  emit2(LOAD, NUMBER);
  uint32_t to_halt = emit2(JUMP_IF_ZERO, 0);
  emit2(LOAD, NUMBER);
  uint32_t test = emit2(STORE, VALUE);
  emit2(LOAD, VALUE);
  emit2(PUSH, 1);
  emit1(SUB);
  uint32_t to_next = emit2(JUMP_IF_ZERO, 0);
  emit2(LOAD, STEPS);
  emit2(PUSH, 1);
  emit1(ADD);
  emit2(STORE, STEPS);
  emit2(LOAD, VALUE);
  emit2(PUSH, 1);
  emit1(AND);
  uint32_t to_even = emit2(JUMP_IF_ZERO, 0);
  emit2(LOAD, VALUE);
  emit2(PUSH, 3);
  emit1(MUL);
  emit2(PUSH, 1);
  emit1(ADD);
  emit2(STORE, VALUE);
  program[to_even - 1] = emit2(JUMP, (uint8_t)test);
  emit2(LOAD, VALUE);
  emit2(PUSH, 1);
  emit1(SHR);
  emit2(STORE, VALUE);
  program[to_next - 1] = emit2(JUMP, (uint8_t)test);
  emit2(LOAD, NUMBER);
  emit2(PUSH, 1);
  emit1(SUB);
  emit2(STORE, NUMBER);
  program[to_halt - 1] = emit2(JUMP, 0);
  emit1(HALT);
}

static uint32_t interpret(uint32_t variables[VARIABLES]) {
  uint32_t stack[16], *top = stack, pc = 0;
  for (;;) {
    switch (program[pc++]) {
    case PUSH: *top++ = program[pc++]; break;
    case LOAD: *top++ = variables[program[pc++]]; break;
    case STORE: variables[program[pc++]] = *--top; break;
    case ADD: top--; top[-1] += top[0]; break;
    case SUB: top--; top[-1] -= top[0]; break;
    case MUL: top--; top[-1] *= top[0]; break;
    case SHR: top--; top[-1] >>= top[0]; break;
    case AND: top--; top[-1] &= top[0]; break;
    case JUMP: pc = program[pc]; break;
    case JUMP_IF_ZERO: pc = *--top ? pc + 1 : program[pc]; break;
    default: return variables[STEPS];
    }
  }
}

uint32_t run(uint32_t scale) {
  uint32_t variables[VARIABLES] = {scale * 1000, 0, 0};
  assemble();
  return interpret(variables);
}
