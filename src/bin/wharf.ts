import { descriptorOutput, processTerminal, runProgram } from '#cli';

void runProgram({
  argv: process.argv.slice(2),
  name: process.argv0,
  env: process.env,
  out: descriptorOutput(1),
  err: descriptorOutput(2),
  terminal: processTerminal(),
  now: () => Date.now(),
}).then((code) => process.exit(code));
