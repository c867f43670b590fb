// What the demo uses of it; the package brings no types.
declare module 'hoodiecrow-imap' {
  type StoredMail = { raw: string; internaldate: string; flags?: string[] };
  type StoredFolder = {
    uidvalidity?: number;
    messages?: StoredMail[];
    'special-use'?: string;
    separator?: string;
    folders?: Record<string, StoredFolder>;
  };
  type ImapServer = {
    listen(port: number, host: string, ready: () => void): void;
    close(closed?: () => void): void;
    appendMessage(folder: string, flags: string[], internaldate: string | false, raw: string): void;
  };
  export default function hoodiecrow(options: {
    plugins: string[];
    users: Record<string, { password: string }>;
    storage: Record<string, StoredFolder>;
  }): ImapServer;
}
