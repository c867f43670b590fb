// The command line of an installation: `npm run -s relais -- <command>`. It reads the settings the API and the workers
// read; for the house of `npm start` it finds them in its folder.
import { Command } from 'commander';
import { ConfigurationProblem } from '#domain/configuration.ts';
import { StartProblem } from './house/progress.ts';

const program = new Command('relais')
  .description('Looks after an installation of Relais.')
  .showHelpAfterError('Add --help for what there is.');

program
  .command('reseal')
  .description(
    'The last step of a key rotation: seals every secret again under ENCRYPTION_KEY. Nothing has to stop; it can be cut off and run again.',
  )
  .action(async () => (await import('./relais/reseal.ts')).resealEverything());

program
  .command('explain')
  .description(
    'Says what the readers and rules make of mails on disk: why was this filtered? Needs no server, keeps nothing.',
  )
  .argument('[file|folder...]', 'mails as a mail program saves them (.eml), or folders of them')
  .option('--json', 'one JSON object a line, in the form of docs/explained-mail.schema.json')
  .option('--own <address...>', "the company's own addresses, by which loops and answers are known")
  .addHelpText(
    'after',
    '\nExit codes: 0 every mail was read, 2 one could not be read (its problems say why), 1 a wrong call.',
  )
  .action(async (paths: string[], options: { json?: boolean; own?: string[] }) => {
    // Each command loads what it needs: this one is to answer at once.
    const { explain } = await import('./relais/explain.ts');
    const code = await explain(paths, options);
    if (code === null) return program.error('error: no file or folder is named');
    process.exitCode = code;
  });

program.parseAsync(process.argv.slice(2), { from: 'user' }).then(
  () => process.exit(),
  (error) => {
    console.error(error instanceof ConfigurationProblem || error instanceof StartProblem ? error.message : error);
    process.exit(1);
  },
);
