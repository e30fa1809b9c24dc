import type { BakeCase } from '../bake-case.ts';
import { composeCases } from './compose.ts';
import { errorCases } from './errors.ts';
import { expressionCases } from './expressions.ts';
import { fileCases } from './files.ts';
import { functionCases } from './functions.ts';
import { matrixCases } from './matrix.ts';
import { overrideCases } from './overrides.ts';
import { targetCases } from './targets.ts';
import { variableCases } from './variables.ts';

export const bakeCases: readonly BakeCase[] = [
  ...targetCases,
  ...expressionCases,
  ...functionCases,
  ...variableCases,
  ...matrixCases,
  ...overrideCases,
  ...fileCases,
  ...composeCases,
  ...errorCases,
];
