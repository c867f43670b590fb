// Log lines carry ids and sentences. Whatever slips in all the same, in an error's message above all, has its addresses,
// numbers and secrets masked here, in one place.
import { type Logger, pino } from 'pino';

export type Log = Logger;

/** @param name of the process: `api`, `workers` */
export function createLog(name: string, level = 'info'): Log {
  return pino({
    name,
    level,
    base: { name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) => maskFields(fields) as Record<string, unknown>,
    },
    hooks: {
      logMethod(args, method) {
        method.apply(this, args.map((arg) => (typeof arg === 'string' ? mask(arg) : arg)) as Parameters<typeof method>);
      },
    },
    // Errors are described by maskFields already.
    serializers: { err: (described) => described },
  });
}

const SECRET_NAMES = /pass(word|wd)?|secret|token|authorization|cookie|api[-_]?key|sealed|\braw\b|signature/i;
const DEEPEST = 6;

/** Masks mail addresses, phone numbers, bearer tokens and URLs with a password in a text. */
export function mask(text: string): string {
  return text
    .replace(/([\w.+-])[\w.+-]*@([\w-])[\w.-]*/g, '$1…@$2…')
    .replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^:/\s]+:)[^@\s]+@/gi, '$1…@')
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, '$1 …')
    .replace(/(?<![\w-])\+?\d(?:[ .-]?\d){8,14}(?![\w-])/g, '…number…');
}

function maskFields(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return mask(value);
  if (value === null || typeof value !== 'object' || depth > DEEPEST) return value;
  if (value instanceof Date) return value;
  if (Error.isError(value)) return describeError(value as Error);
  if (Buffer.isBuffer(value)) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.map((item) => maskFields(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, SECRET_NAMES.test(name) ? '…' : maskFields(inner, depth + 1)]),
  );
}

// Only what helps to find the fault: drivers hang whole rows and queries with their values on their errors.
function describeError(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const code = (error as { code?: unknown }).code;
  return {
    type: name,
    message: mask(message.slice(0, 500)),
    ...(code === undefined ? {} : { code }),
    stack: stack
      ?.split('\n')
      .slice(1, 8)
      .map((line) => line.trim()),
    ...(Error.isError(cause) ? { cause: describeError(cause as Error) } : {}),
  };
}
