import { harmless } from '@gleaner/protocol';
import type { Worker } from '@gleaner/worker-sdk';
import { RotatingLog } from './service/rotating-log.js';

/** One event: its name and what identifies it. Never a token. */
export type LogEvent = (event: string, fields?: Readonly<Record<string, unknown>>) => void;

/** Sentences in a file that rotates. */
export function createFileLog(path: string): LogEvent {
  const file = new RotatingLog({ path });
  return (event, fields = {}) => {
    file.write(sentenceOf(event, fields));
  };
}

/** Sentences for people on stderr, or one JSON object a line on stdout for programs. */
export function createLog(format: 'text' | 'json'): LogEvent {
  return (event, fields = {}) => {
    if (format === 'json') {
      const at = new Date().toISOString();
      process.stdout.write(`${JSON.stringify({ at, event, ...fields }, bigIntAsText)}\n`);
    } else {
      process.stderr.write(`${sentenceOf(event, fields)}\n`);
    }
  };
}

/** Logs what the worker tells. Reasons for waiting are logged when they change, not at every attempt. */
export function logWorker(worker: Worker, log: LogEvent): void {
  let lastReason = '';
  worker.on('status', ({ phase, reason }) => {
    if (phase !== 'waiting' || reason === lastReason) return;
    lastReason = reason;
    log('waiting', { reason });
  });
  worker.on('task-started', (event) => {
    lastReason = '';
    log('task-started', event);
  });
  worker.on('task-finished', ({ message, ...event }) => {
    log('task-finished', message === null ? event : { ...event, message });
  });
  worker.on('task-suspended', (event) => {
    log('task-suspended', event);
  });
  worker.on('task-continued', (event) => {
    log('task-continued', event);
  });
  worker.on('state-damaged', (event) => {
    log('state-damaged', event);
  });
  worker.on('not-kept', (event) => {
    log('not-kept', event);
  });
  worker.on('warning', (event) => {
    log('warning', event);
  });
  worker.on('task-dropped', (event) => {
    log('task-dropped', event);
  });
  worker.on('report-answered', ({ taskId, status, reason }) => {
    log('report-answered', { taskId, status, ...(reason !== undefined && { reason }) });
  });
  worker.on('call-failed', (event) => {
    log('call-failed', event);
  });
}

function sentenceOf(event: string, fields: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(fields).map(([name, value]) => `${name}=${textOf(value)}`);
  // JSON leaves out some of what orders a terminal about, whoever reads the file later.
  return harmless([new Date().toISOString(), event, ...words].join(' '));
}

function textOf(value: unknown): string {
  if (typeof value === 'string' && /^[\w.:@/+-]+$/.test(value)) return value;
  if (typeof value === 'bigint') return value.toString();
  return JSON.stringify(value, bigIntAsText);
}

function bigIntAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
