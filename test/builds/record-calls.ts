/** Asks the reference engine's builder about each case of call-cases.ts and writes what it says as golden file. */
import { command } from '../setup/index.ts';
import { askCall } from './ask-call.ts';
import { callCases, calls } from './call-cases.ts';
import { writeCallAnswers, type CallAnswer } from './call-golden.ts';

const answers: CallAnswer[] = [];
for (const dockerfile of callCases) {
  for (const call of calls) {
    answers.push(await askCall((args, options) => command('docker', args, options), dockerfile, call));
  }
}
writeCallAnswers(answers);
console.log(`${answers.length} answers recorded`);
