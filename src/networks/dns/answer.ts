import {
  decode,
  encode,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  type Answer,
  type Packet,
  type Question,
} from 'dns-packet';
import type { NameAddresses } from './names.ts';

/** Seconds an answer about a container may be kept; Docker's. */
const ttl = 600;
/** RFC 1035, 4.1.1 */
const SERVFAIL = 2;

export interface Names {
  resolve(name: string): NameAddresses | undefined;
  reverse(name: string): string | undefined;
}

/** A query that can be understood, or undefined. */
export function parseQuery(bytes: Uint8Array): { packet: Packet; question: Question } | undefined {
  try {
    const packet = decode(Buffer.from(bytes));
    const question = packet.questions?.[0];
    return packet.type === 'query' && question ? { packet, question } : undefined;
  } catch {
    return undefined;
  }
}

function respond(query: Packet, question: Question, answers: Answer[], flags: number): Buffer {
  return encode({
    type: 'response',
    id: query.id ?? 0,
    flags: ((query.flags ?? 0) & RECURSION_DESIRED) | RECURSION_AVAILABLE | flags,
    questions: [question],
    answers,
  });
}

/**
 * The answer to a question about containers, or undefined if it is about something else. A known name without a record
 * of the asked type answers NOERROR and nothing, so that nobody asks the world about it.
 */
export function answerQuery(query: Packet, question: Question, names: Names): Buffer | undefined {
  const { name, type } = question;
  if (type === 'PTR') {
    const target = names.reverse(name);
    if (target === undefined) return undefined;
    return respond(query, question, [{ type: 'PTR', name, ttl, data: target }], 0);
  }
  const known = names.resolve(name);
  if (!known) return undefined;
  if (type !== 'A' && type !== 'AAAA') return respond(query, question, [], 0);
  const addresses = shuffled(type === 'A' ? known.ipv4 : known.ipv6);
  return respond(
    query,
    question,
    addresses.map((data): Answer => ({ type, name, ttl, data })),
    0,
  );
}

/** The answer when nobody upstream could give one. */
export const servfail = (query: Packet, question: Question): Buffer => respond(query, question, [], SERVFAIL);

/** Several containers with one alias share the load: clients take the first. */
function shuffled(addresses: readonly string[]): string[] {
  const start = addresses.length < 2 ? 0 : Math.floor(Math.random() * addresses.length);
  return [...addresses.slice(start), ...addresses.slice(0, start)];
}
