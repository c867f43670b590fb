// Who is written to beside the client: in copy, and in blind copy, which only the envelope knows.
import { Invalid } from '#domain/errors.ts';
import { normaliseAddress } from '#domain/rules/email-address.ts';

export type Copies = { cc: string[]; bcc: string[] };

/**
 * @param to the client's own address, who needs no second mail
 * @returns each address once: whoever stands in the open needs no blind copy
 * @throws Invalid naming the first word that is no address
 */
export function copiesOf(asked: Partial<Copies>, to: string): Copies {
  const client = normaliseAddress(to);
  const cc = addresses(asked.cc ?? []).filter((address) => address !== client);
  const bcc = addresses(asked.bcc ?? []).filter((address) => address !== client && !cc.includes(address));
  return { cc, bcc };
}

function addresses(typed: string[]): string[] {
  return [...new Set(typed.map(address))];
}

function address(typed: string): string {
  const found = normaliseAddress(typed);
  if (!found) {
    throw new Invalid('reply.not-an-address', `“${typed}” is not an email address: correct it or take it out.`, {
      address: typed,
    });
  }
  return found;
}
