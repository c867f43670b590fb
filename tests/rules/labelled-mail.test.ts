import { beforeAll, describe, expect, test } from '@jest/globals';
import { explainMail } from '#activities/readers/explained-mail.ts';
import type { MailKind } from '#domain/rules/mail-traits.ts';
import { halves, type LabelledMail, labelledMails, OWN_ADDRESSES } from '../support/labelled-mail.ts';

const RECEIVED = new Date('2026-11-25T10:00:00Z');
const KINDS: MailKind[] = ['personal', 'newsletter', 'list', 'automatic', 'bounce', 'loop', 'spam'];

type Judged = LabelledMail & { found: MailKind; reason: string };

const { seen, heldOut } = halves(labelledMails());
let judgedSeen: Judged[];
let judgedHeldOut: Judged[];

beforeAll(async () => {
  judgedSeen = await Promise.all(seen.map(judged));
  judgedHeldOut = await Promise.all(heldOut.map(judged));
});

async function judged(mail: LabelledMail): Promise<Judged> {
  const { kind, reason } = await explainMail(mail.raw, { file: mail.id, own: OWN_ADDRESSES, receivedAt: RECEIVED });
  return { ...mail, found: kind, reason };
}

/** Precision and recall of each kind, to two places. */
function figures(mails: Judged[]) {
  return KINDS.map((kind) => {
    const right = mails.filter((mail) => mail.kind === kind && mail.found === kind).length;
    const labelled = mails.filter((mail) => mail.kind === kind).length;
    const found = mails.filter((mail) => mail.found === kind).length;
    return { kind, mails: labelled, precision: found === 0 ? 1 : right / found, recall: right / labelled };
  });
}

function table(name: string, mails: Judged[]): string {
  const rows = figures(mails).map(
    ({ kind, mails: count, precision, recall }) =>
      `${kind.padEnd(10)} ${String(count).padStart(4)}  precision ${precision.toFixed(3)}  recall ${recall.toFixed(3)}`,
  );
  return `${name}\n${rows.join('\n')}\n`;
}

describe('three hundred labelled mails', () => {
  test('are whole, each with a kind, a reason and a name of its own', () => {
    const mails = labelledMails();
    expect(mails.length).toBeGreaterThanOrEqual(300);
    expect(new Set(mails.map(({ id }) => id)).size).toBe(mails.length);
    for (const mail of mails) {
      expect(KINDS).toContain(mail.kind);
      expect(mail.because.length).toBeGreaterThanOrEqual(10);
      expect(mail.raw.toString('latin1')).toMatch(/^Return-Path: |^Received: |^Delivered-To: /m);
    }
  });

  test('of which those that were looked at are all of the kind they are labelled', () => {
    const mistakes = judgedSeen
      .filter(({ kind, found }) => kind !== found)
      .map(({ id, found, reason, because }) => `${id} was taken for ${found} (${reason}): ${because}`);
    expect(mistakes).toEqual([]);
  });

  // Figures only: whoever looks at one of these mails to mend a rule has spent it.
  test('of which those never looked at are told apart: no letter of a person is filtered', () => {
    const rows = figures(judgedHeldOut);
    process.stderr.write(`${table('seen', judgedSeen)}${table('held out', judgedHeldOut)}`);
    for (const { kind, precision, recall } of rows) {
      const aim = kind === 'personal' ? { precision: 0, recall: 1 } : { precision: 0.97, recall: 0.9 };
      expect([kind, precision >= aim.precision, recall >= aim.recall]).toEqual([kind, true, true]);
    }
  });
});
