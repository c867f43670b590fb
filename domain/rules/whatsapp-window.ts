// WhatsApp's customer service window: free text may be sent within 24 hours of the client's last message. After that it
// takes a template that it has approved (whatsapp-template.ts).

const WINDOW_MS = 24 * 3600_000;

/** @returns when the window closes or has closed; null when the client has never written */
export function whatsappWindowEnd(lastInboundAt: Date | null | undefined): Date | null {
  return lastInboundAt ? new Date(lastInboundAt.getTime() + WINDOW_MS) : null;
}
