import { expect, test } from '@jest/globals';
import { allowedStatuses, mayChangeStatus, STATUSES, shownStatus } from '../../domain/rules/conversation-status.ts';

test('a conversation becomes new by hand only when it was no spam', () => {
  expect(STATUSES.filter((from) => from !== 'new' && mayChangeStatus(from, 'new'))).toEqual(['spam']);
});

test('the same status is always allowed, as no change', () => {
  for (const status of STATUSES) expect(mayChangeStatus(status, status)).toBe(true);
});

test('Maya may move a conversation along, back from resolved and archived, and out of spam', () => {
  expect(Object.fromEntries(STATUSES.map((from) => [from, allowedStatuses(from)]))).toEqual({
    new: ['new', 'in_progress', 'resolved', 'archived', 'spam'],
    in_progress: ['in_progress', 'resolved', 'archived', 'spam'],
    resolved: ['in_progress', 'resolved', 'archived', 'spam'],
    archived: ['in_progress', 'resolved', 'archived', 'spam'],
    spam: ['new', 'archived', 'spam'],
  });
});

test('urgent is shown while there is something to do', () => {
  expect(STATUSES.map((status) => shownStatus(status, 'urgent'))).toEqual([
    'urgent',
    'urgent',
    'resolved',
    'archived',
    'spam',
  ]);
  expect(STATUSES.map((status) => shownStatus(status, 'normal'))).toEqual([...STATUSES]);
});
