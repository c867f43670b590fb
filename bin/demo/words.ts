// What the demo's company says: its folders and rules, its articles, and the answers its agents wrote by hand.

export const PROMPT =
  'Tu réponds pour Atelier Lavande, une savonnerie de Drôme provençale. Vouvoie, reste bref, concret et chaleureux. ' +
  'Ne promets jamais une date que les articles ne donnent pas.';

const contains = (field: 'content' | 'subject', value: string) => ({ field, operator: 'contains', value });

const HOUR = 3600;
const DAY = 24 * HOUR;

export const FOLDERS = [
  {
    name: 'Commandes',
    replyMode: 'validation' as const,
    rules: [
      { any: [contains('subject', 'commande'), contains('content', 'ma commande'), contains('content', 'my order')] },
    ],
    deadlineSeconds: 4 * HOUR,
    deadlineAction: 'remind' as const,
    followUpMode: 'remind' as const,
    followUpAfterSeconds: 3 * DAY,
  },
  {
    name: 'Rendez-vous',
    replyMode: 'validation' as const,
    rules: [{ any: [contains('subject', 'RDV'), contains('content', 'rendez-vous')] }],
    deadlineSeconds: DAY,
    deadlineAction: 'remind' as const,
    followUpMode: 'remind' as const,
    followUpAfterSeconds: 2 * DAY,
  },
  {
    name: 'Support',
    replyMode: 'validation' as const,
    rules: [{ any: [contains('content', 'problème'), contains('content', 'ne fonctionne pas')] }],
    deadlineSeconds: 8 * HOUR,
    deadlineAction: 'escalate' as const,
  },
  {
    name: 'Professionnels',
    replyMode: 'off' as const,
    rules: [
      {
        all: [
          { any: [contains('content', 'devis'), contains('content', 'revendeur'), contains('content', 'boutique')] },
          { not: contains('content', 'ma commande') },
        ],
      },
    ],
  },
];

export const ARTICLES = [
  {
    title: 'Où est ma commande ?',
    language: 'fr' as const,
    text: `Bonjour,

Merci de votre message. Vos commandes partent de notre atelier sous deux jours ouvrés, et le transporteur les livre en trois jours ouvrés environ. Le numéro de suivi vous est envoyé par courriel le jour du départ.

Si votre colis n’est pas arrivé huit jours après ce courriel, dites-le-nous : nous ouvrons une recherche et vous renvoyons votre commande sans attendre.

Bien à vous,
L’équipe de l’Atelier Lavande`,
  },
  {
    title: 'Prendre rendez-vous à l’atelier',
    language: 'fr' as const,
    text: `Bonjour,

Avec plaisir ! L’atelier se visite du mardi au samedi, de 10 h à 17 h, par groupes de douze personnes au plus. Vous pouvez choisir un créneau pour votre rendez-vous ici : https://atelier-lavande.example/rendez-vous

À bientôt,
L’équipe de l’Atelier Lavande`,
  },
  {
    title: 'Le site ne fonctionne pas',
    language: 'fr' as const,
    text: `Bonjour,

Nous sommes désolés de ce problème. Dans la plupart des cas, demander un nouveau mot de passe suffit à ouvrir votre compte : https://atelier-lavande.example/mot-de-passe

Si cela ne fonctionne pas, répondez-nous avec une capture d’écran : nous regardons dans la journée.

Bien à vous,
L’équipe de l’Atelier Lavande`,
  },
  {
    title: 'Where is my order?',
    language: 'en' as const,
    text: `Hello,

Thank you for your message. Orders leave our workshop within two working days; delivery then takes three working days in France and up to seven in the rest of Europe. The tracking number is mailed to you on the day your parcel leaves.

Kind regards,
The Atelier Lavande team`,
  },
];

/** By the subject of the conversation they answer. */
/** Before one looks, and while one watches. */
export const EARLIER_TEXT = {
  from: '+33612345670',
  text: 'Bonjour, l’atelier est-il ouvert samedi matin ? Merci, Julie',
};
export const LIVE_TEXT = {
  from: '+33698765432',
  text: 'Bonjour, mon compte ne fonctionne pas : le code reçu est refusé. Karim',
};

export const HANDWRITTEN: readonly { subject: string; text: string; afterwards: 'resolve' | 'remind' }[] = [
  {
    subject: 'Commande 12290 : merci !',
    text: 'Bonjour Agathe,\n\nVotre mot nous fait très plaisir, je l’ai affiché à l’atelier. À bientôt !\n\nMaya',
    afterwards: 'resolve',
  },
  {
    subject: 'Facture de la commande 12301',
    text: 'Bonjour Monsieur Delmas,\n\nVotre facture est dans votre espace client, rubrique « Mes achats ». Dites-moi si vous ne la trouvez pas.\n\nMaya Roche',
    afterwards: 'resolve',
  },
  {
    subject: 'Devis pour 40 coffrets',
    text: 'Bonjour Madame Ferrand,\n\nMerci de votre intérêt. Je vous prépare un devis pour 40 coffrets avec gravure : quelle date de livraison visez-vous ?\n\nMaya Roche',
    afterwards: 'remind',
  },
];
