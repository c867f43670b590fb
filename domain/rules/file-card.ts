// What an invitation or a business card says, short enough for a card in the thread.

export const INVITATION_METHODS = ['request', 'cancel', 'reply', 'other'] as const;
export type InvitationMethod = (typeof INVITATION_METHODS)[number];

export type InvitationCard = {
  kind: 'invitation';
  method: InvitationMethod;
  title: string;
  /** An instant with `Z`; without it the clock of whoever reads; a bare date when it takes the whole day. */
  start: string;
  end: string | null;
  place: string | null;
  organiser: string | null;
  repeats: boolean;
};

export type ContactCard = {
  kind: 'contact';
  name: string;
  organisation: string | null;
  phones: string[];
  emails: string[];
};

export type FileCard = InvitationCard | ContactCard;
