// The mails of a week to the demo's company, as their programs would have sent them, and those that arrive while one
// watches.
import { randomUUID } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
import type { DemoMail } from './mail-server.ts';

type Written = {
  from: [name: string, address: string];
  subject: string;
  text: string;
  /** Before now. */
  hoursAgo: number;
  id?: string;
  answers?: string;
  headers?: Record<string, string>;
};

const TO = 'bonjour@atelier-lavande.example';

const WEEK: readonly Written[] = [
  {
    from: ['Agathe Meunier', 'agathe.meunier@example.com'],
    subject: 'Commande 12290 : merci !',
    text: 'Bonjour,\n\nMa commande est arrivée hier, tout est parfait et le mot dans le colis m’a fait sourire. Merci !\n\nAgathe',
    hoursAgo: 161,
  },
  {
    from: ['Éric Delmas', 'e.delmas@example.org'],
    subject: 'Facture de la commande 12301',
    text: 'Bonjour,\n\nPourriez-vous m’envoyer la facture de ma commande 12301 ? Ma comptable la réclame.\n\nCordialement,\nÉric Delmas',
    hoursAgo: 140,
  },
  {
    from: ['La Gazette des métiers d’art', 'lettre@gazette-metiers.example'],
    subject: 'La lettre de novembre : savoir-faire et marchés de Noël',
    text: 'Ce mois-ci : dix marchés de Noël à ne pas manquer, le portrait d’une verrière, et vos rendez-vous.\n\nSe désinscrire',
    hoursAgo: 132,
    headers: {
      'List-Id': 'La lettre <lettre.gazette-metiers.example>',
      'List-Unsubscribe': '<https://gazette-metiers.example/desinscription?u=1>',
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      Precedence: 'bulk',
    },
  },
  {
    from: ['Nadia Ferrand', 'nadia.ferrand@maison-ferrand.example'],
    subject: 'Devis pour 40 coffrets',
    text: 'Bonjour,\n\nNous offrons chaque année un cadeau à nos équipes. Feriez-vous un devis pour 40 coffrets, avec notre nom gravé ?\n\nNadia Ferrand\nMaison Ferrand',
    hoursAgo: 96,
  },
  {
    from: ['Tom Weaver', 'tom.weaver@example.net'],
    subject: 'Order to Ireland',
    text: 'Hi there,\n\nDo you ship to Ireland, and how long would my order take? It is a birthday present.\n\nBest,\nTom',
    hoursAgo: 75,
  },
  {
    from: ['Jeanne Aubry', 'jeanne.aubry@example.com'],
    subject: 'Absente jusqu’au 1er décembre',
    text: 'Bonjour,\n\nJe suis absente jusqu’au 1er décembre et lirai votre message à mon retour.\n\nJeanne Aubry',
    hoursAgo: 71,
    headers: { 'Auto-Submitted': 'auto-replied', 'X-Auto-Response-Suppress': 'All' },
  },
  {
    from: ['Sylvain Roux', 'sylvain.roux@example.com'],
    subject: 'Paiement refusé',
    text: 'Bonjour,\n\nJ’ai un problème au moment de payer : la page tourne et rien ne se passe. Ma carte fonctionne ailleurs.\n\nSylvain Roux',
    hoursAgo: 52,
    id: 'paiement-refuse',
  },
  {
    from: ['Sylvain Roux', 'sylvain.roux@example.com'],
    subject: 'Re: Paiement refusé',
    text: 'Rebonjour,\n\nLe problème est le même avec un autre navigateur. Je peux vous envoyer une capture d’écran.\n\nSylvain\n\nLe lun. à 9:12, Sylvain Roux a écrit :\n> J’ai un problème au moment de payer : la page tourne et rien ne se passe.',
    hoursAgo: 49,
    answers: 'paiement-refuse',
  },
  {
    from: ['Club de randonnée du Vercors', 'bureau@rando-vercors.example'],
    subject: 'Visite de l’atelier : RDV en janvier ?',
    text: 'Bonjour,\n\nNous serions une dizaine à vouloir visiter l’atelier un samedi de janvier. Est-ce possible, et à quel prix ?\n\nLe bureau',
    hoursAgo: 30,
  },
  {
    from: ['Boutique Cigale', 'contact@boutique-cigale.example'],
    subject: 'Devenir revendeur',
    text: 'Bonjour,\n\nJe tiens une boutique à Uzès et j’aimerais proposer vos savons. Quelles sont vos conditions pour un revendeur ?\n\nHélène Brun',
    hoursAgo: 26,
  },
  {
    from: ['Paul Girard', 'paul.girard@example.org'],
    subject: 'Mon compte ne fonctionne pas',
    text: 'Bonjour,\n\nDepuis ce matin mon compte ne fonctionne pas : le site ne reconnaît plus mon adresse.\n\nPaul Girard',
    hoursAgo: 7,
  },
  {
    from: ['Inès Carpentier', 'ines.carpentier@example.com'],
    subject: 'Savon au lait d’ânesse',
    text: 'Bonjour,\n\nVotre savon au lait d’ânesse convient-il à une peau très sèche ? Et contient-il du parfum ?\n\nMerci,\nInès',
    hoursAgo: 3,
  },
];

const LIVE: readonly Omit<Written, 'hoursAgo'>[] = [
  {
    from: ['Camille Martin', 'camille.martin@example.com'],
    subject: 'Où est ma commande #12345 ?',
    text: 'Bonjour,\n\nJ’ai commandé un coffret la semaine dernière et je n’ai rien reçu. Où est ma commande #12345 ?\n\nMerci d’avance,\nCamille Martin',
  },
  {
    from: ['Louis Perrin', 'louis.perrin@example.org'],
    subject: 'Prendre RDV',
    text: 'Bonjour,\n\nJe voudrais prendre rendez-vous pour visiter l’atelier avec mes deux enfants.\n\nLouis Perrin',
  },
  {
    from: ['Emma Clarke', 'emma.clarke@example.net'],
    subject: 'Where is my order?',
    text: 'Hello,\n\nCould you tell me where my order is? I ordered two boxes ten days ago.\n\nThank you,\nEmma',
  },
];

export function mailsOfTheWeek(): Promise<DemoMail[]> {
  return Promise.all(WEEK.map(compose));
}

/** Each is dated when it is called for. */
export const liveMails = LIVE.map((mail) => () => compose({ ...mail, hoursAgo: 0 }));

async function compose({ from: [name, address], hoursAgo, id, answers, ...mail }: Written): Promise<DemoMail> {
  const receivedAt = new Date(Date.now() - hoursAgo * 3600_000);
  const raw = await new MailComposer({
    from: { name, address },
    to: TO,
    subject: mail.subject,
    text: mail.text,
    date: receivedAt,
    messageId: `<${id ?? randomUUID()}@example.com>`,
    ...(answers ? { inReplyTo: `<${answers}@example.com>`, references: `<${answers}@example.com>` } : {}),
    headers: { 'Return-Path': `<${address}>`, ...mail.headers },
  })
    .compile()
    .build();
  return { raw, subject: mail.subject, receivedAt };
}
