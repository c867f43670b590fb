// When a company is open: what follow-ups wait for.
import { z } from 'zod';
import { businessHoursProblems } from '#domain/rules/business-hours.ts';
import { route } from './route.ts';

const time = z.string().regex(/^\d{2}:\d{2}$/, 'is a time as 09:00; the end of the day is 24:00');

const hours = z
  .object({
    timeZone: z.string().min(1).max(100).describe('By its name, such as Europe/Paris.'),
    days: z
      .partialRecord(z.enum(['1', '2', '3', '4', '5', '6', '7']), z.array(z.object({ from: time, to: time })).max(10))
      .describe('By weekday, 1 is Monday; a day that is missing or empty is closed.'),
    holidays: z.array(z.iso.date()).max(1_000).describe('Days on which the company is closed.'),
  })
  .meta({ id: 'BusinessHours' });

export const businessHours = {
  getBusinessHours: route({
    method: 'get',
    path: '/business-hours',
    summary: 'When the company is open',
    role: 'viewer',
    reply: hours,
  }),
  setBusinessHours: route({
    method: 'put',
    path: '/business-hours',
    summary: 'Say when the company is open; follow-ups that are armed from then on keep to it',
    role: 'admin',
    body: hours.superRefine((value, context) => {
      for (const message of businessHoursProblems(value)) context.addIssue({ code: 'custom', message });
    }),
    reply: hours,
  }),
};
