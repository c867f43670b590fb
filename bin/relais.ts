// The command line of an installation: `npm run -s relais -- <command>`. It reads the settings the API and the workers
// read; for the house of `npm start` it finds them in its folder.
import { Command } from 'commander';
import { ConfigurationProblem } from '#domain/configuration.ts';
import { StartProblem } from './house/progress.ts';
import { resealEverything } from './relais/reseal.ts';

const program = new Command('relais')
  .description('Looks after an installation of Relais.')
  .showHelpAfterError('Add --help for what there is.');

program
  .command('reseal')
  .description(
    'The last step of a key rotation: seals every secret again under ENCRYPTION_KEY. Nothing has to stop; it can be cut off and run again.',
  )
  .action(resealEverything);

program.parseAsync(process.argv.slice(2), { from: 'user' }).then(
  () => process.exit(),
  (error) => {
    console.error(error instanceof ConfigurationProblem || error instanceof StartProblem ? error.message : error);
    process.exit(1);
  },
);
